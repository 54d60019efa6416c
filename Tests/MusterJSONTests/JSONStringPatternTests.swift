import TestSupport
import Testing

@testable import MusterJSON

@Suite("Texts that are alike but for one string")
struct JSONStringPatternTests {
  private func pattern(_ text: String) throws -> JSONStringPattern {
    let document = try JSON.parse(Array(text.utf8))
    let string = try #require(document["a"]?.elements.first?["t"])
    return try #require(JSONStringPattern(document, varying: string))
  }

  @Test(
    "another text with another string gives its content",
    arguments: [
      ("", ""), ("x", "x"), ("a longer one, with blanks and {}[]:,", "a longer one, with blanks and {}[]:,"),
      ("h\u{e9}\u{1f600}", "h\u{e9}\u{1f600}"), (#"é\n"#, nil), (#"\u00e9"#, nil), (#"","t":""#, nil), ("\n", nil),
    ] as [(String, String?)])
  func contents(lexeme: String, content: String?) throws {
    let pattern = try pattern(#"{"n":1,"a":[{"t":"word"}],"z":"end of the text"}"#)
    let found = pattern.content(in: Array(#"{"n":1,"a":[{"t":"\#(lexeme)"}],"z":"end of the text"}"#.utf8))
    #expect(found == content.map { Array($0.utf8) })
  }

  @Test(
    "a text that differs elsewhere is not like it",
    arguments: [
      "", "{", #"{"n":1,"a":[{"t":""#, #""}],"z":"end"}"#, #"{"n":2,"a":[{"t":"word"}],"z":"end"}"#,
      #"{"n":1,"a":[{"t":"word"}],"z":"enD"}"#, #"{"n":1,"a":[{"t":"word"}],"z":"end"} "#,
      #"{"n":1,"a":[{"t":"word" }],"z":"end"}"#, #"{"n":1,"a":[{"t":"wo"}],"z":"end"}]"#,
    ])
  func others(text: String) throws {
    let pattern = try pattern(#"{"n":1,"a":[{"t":"word"}],"z":"end"}"#)
    #expect(pattern.content(in: Array(text.utf8)) == nil)
  }

  @Test("only a string of the document can vary")
  func kinds() throws {
    let document = try JSON.parse(Array(#"{"a":1,"b":"x","c":null}"#.utf8))
    let string = try #require(document["b"])
    for other in [document["a"], document["c"], document, .literal(#""x""#)] {
      let varying = try #require(other)
      #expect(JSONStringPattern(document, varying: varying) == nil)
    }
    #expect(JSONStringPattern(string, varying: string) == nil)
    #expect(JSONStringPattern(document, varying: string) != nil)
  }

  @Test("whatever is found without parsing is found by parsing too")
  func differential() throws {
    var generator = SeededGenerator(seed: 7_041)
    let text = Array(#"{"n":1.5,"a":[{"t":"word é"}],"z":"\u00e9 end"}"#.utf8)
    let pattern = try pattern(String(decoding: text, as: UTF8.self))
    let interesting = Array(#"{}[]",:\u0e-+.tfn"#.utf8) + [0x00, 0x1f, 0x20, 0x80, 0xc3, 0xa9, 0xed, 0xf0, 0xff]
    var found = 0
    for _ in 0..<50_000 {
      var bytes = text
      for _ in 0...Int.random(in: 0..<3, using: &generator) {
        let place = Int.random(in: 10..<min(30, bytes.count), using: &generator)
        let byte = interesting.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = byte
        case 1: bytes.insert(byte, at: place)
        default: bytes.remove(at: place)
        }
      }
      guard let content = pattern.content(in: bytes) else { continue }
      found += 1
      let document = try JSON.parse(bytes)
      #expect(Array(document.bytes) == bytes)
      #expect(document["a"]?.elements.first?["t"]?.utf8 == content)
      #expect(document["n"]?.double == 1.5 && document["z"]?.string == "é end" && document.members.count == 3)
    }
    #expect(found > 1_000)
  }
}

@Suite("Walks over members")
struct JSONMemberWalkTests {
  private func walk(_ text: String, _ names: [StaticString]) throws -> [String] {
    var walk = JSONMemberWalk(try JSON.parse(Array(text.utf8)))
    var found: [String] = []
    while walk.next() {
      let name = names.first { walk.isKey($0) }.map { "\($0)" } ?? "-"
      found.append("\(name)=\(String(decoding: walk.value.bytes, as: UTF8.self))\(walk.isNull ? "!" : "")")
    }
    return found
  }

  @Test("members come in order, known by their keys")
  func members() throws {
    #expect(
      try walk(#"{"ab":1, "a":"x", "":[2], "b\u0061":{"a":null}, "\"":null, "abc":true}"#, ["a", "ab", "ba", "", "\""])
        == ["ab=1", "a=\"x\"", "=[2]", #"ba={"a":null}"#, "\"=null!", "-=true"])
    #expect(try walk(#"{"n\u0061\u0062":1,"nab":2,"na":3}"#, ["nab"]) == ["nab=2", "-=3"])
  }

  @Test("anything but an object has none", arguments: ["{}", "[]", "[1,2]", "\"{\"", "7", "null", "true"])
  func none(text: String) throws { #expect(try walk(text, ["a"]) == []) }

  @Test("an object within a text ends where it ends")
  func inner() throws {
    let document = try JSON.parse(Array(#"{"a":{"b":1},"c":2}"#.utf8))
    let object = try #require(document["a"])
    var walk = JSONMemberWalk(object)
    let first = walk.next()
    let isB = walk.isKey("b")
    let second = walk.next()
    #expect(first && isB && !second)
  }
}

@Suite("Members found in one pass")
struct JSONMembersTests {
  @Test("what is found is what a look into the object finds")
  func same() throws {
    let text = #"{"ab":1,"a":"x","":[2],"b\u0061":{"a":null},"\"":null,"a":2,"ba":3}"#
    let object = try JSON.parse(Array(text.utf8))
    let members = JSONMembers(object)
    for key in ["ab", "a", "", "ba", "\"", "abc", "b\\u0061"] {
      #expect(members[key]?.bytes.elementsEqual(object[key]?.bytes ?? []) ?? (object[key] == nil), "\(key)")
      #expect((members.present(key) == nil) == (object.present(key) == nil), "\(key)")
    }
  }

  @Test("anything but an object has none", arguments: ["[]", "[1,2]", "\"{\"", "7", "null", "true"])
  func none(text: String) throws { #expect(JSONMembers(try JSON.parse(Array(text.utf8)))["a"] == nil) }
}
