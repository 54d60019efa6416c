import MusterJSON
import Testing

@Suite("Parser")
struct JSONParserTests {
  @Test(
    "the normal form has no blanks, each key once, and lexemes as they came",
    arguments: [
      (" { \"a\" : [ 1 ,\t2 ] ,\r\n \"b\" : { } } ", "{\"a\":[1,2],\"b\":{}}"),
      ("\"a b\\u0041\\/ \"", "\"a b\\u0041\\/ \""),
      ("[1.0,1e2,-0,1E+02,0.10]", "[1.0,1e2,-0,1E+02,0.10]"),
      ("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"),
      ("{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"),
      ("{\"\\u00e9\":1,\"\\u00E9\":2}", "{\"\\u00e9\":2}"),
      ("[{\"x\":{\"y\":1,\"y\":[{\"z\":1,\"z\":2}]}}]", "[{\"x\":{\"y\":[{\"z\":2}]}}]"),
      ("\n 7 \n", "7"),
    ])
  func normalForm(text source: String, normal: String) throws {
    #expect(text(try json(source)) == normal)
  }

  @Test("keys that repeat are found among few and among many, with equal lengths and ends")
  func manyKeys() throws {
    for count in [2, 31, 32, 33, 200] {
      let keys = (0..<count).map { "\"ke\($0 + 1000)middle1234\":\($0)" }
      let source = "{" + keys.joined(separator: ",") + "}"
      #expect(text(try json(source)) == source)
      let twice = "{" + (keys + ["\"ke1000middle1234\":true"]).joined(separator: ",") + "}"
      let found = try json(twice)
      #expect(found.members.count == count)
      #expect(found["ke1000middle1234"]?.bool == true)
      #expect(found.members.first?.key == "ke1000middle1234")
    }
  }

  @Test(
    "an error says where it is",
    arguments: [
      ("", JSONError.Kind.syntax, 0, 1, 1),
      ("   ", .syntax, 3, 1, 4),
      ("{\"a\":1,}", .syntax, 7, 1, 8),
      ("[1,]", .syntax, 3, 1, 4),
      ("[1 2]", .syntax, 3, 1, 4),
      ("{\n  \"a\": tru\n}", .syntax, 9, 2, 8),
      ("{\"a\" 1}", .syntax, 5, 1, 6),
      ("{a:1}", .syntax, 1, 1, 2),
      ("1 2", .syntax, 2, 1, 3),
      ("[01]", .syntax, 2, 1, 3),
      ("[\n\n1.]", .syntax, 5, 3, 3),
      ("\"abc", .syntax, 0, 1, 1),
      ("\"a\nb\"", .syntax, 2, 1, 3),
      ("\"\\q\"", .syntax, 1, 1, 2),
      ("\"\\u12g4\"", .syntax, 1, 1, 2),
      ("{\"a\":\"\\u0000\"}", .syntax, 6, 1, 7),
      ("\"x\\ud800\"", .syntax, 2, 1, 3),
      ("[9223372036854775808]", .syntax, 1, 1, 2),
      ("[1e400]", .syntax, 1, 1, 2),
    ])
  func positions(text: String, kind: JSONError.Kind, position: Int, line: Int, column: Int) throws {
    let error = try #require(throws: JSONError.self) { try json(text) }
    #expect(error.kind == kind)
    #expect(error.position == position)
    #expect(error.line == line)
    #expect(error.column == column)
    #expect(error.description.hasSuffix("near line \(line), column \(column) (byte \(position))"))
  }

  @Test(
    "text that is not UTF-8 is refused as such",
    arguments: [
      [0x80], [0xbf], [0xc0, 0xaf], [0xc1, 0xbf], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
      [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff], [0xc3], [0xe2, 0x82],
      [0xf0, 0x9f, 0x9a], [0xe2, 0x28, 0xa1],
    ] as [[UInt8]])
  func invalidUTF8(bytes: [UInt8]) throws {
    // At the end of a string, and far enough from it that eight bytes can be looked at together.
    for rest in ["", " and so on, for a while"] {
      let text = Array("[\"abcdefghij".utf8) + bytes + Array("\(rest)\"]".utf8)
      let error = try #require(throws: JSONError.self) { try JSON.parse(text) }
      #expect(error.kind == .utf8)
      #expect(error.position == 12)
    }
    #expect(!UTF8Check.isValid(bytes))
  }

  @Test(
    "UTF-8 of every length is kept",
    arguments: ["\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}"])
  func validUTF8(character: String) throws {
    #expect(UTF8Check.isValid(Array(character.utf8)))
    for padding in 0...9 {
      let content = String(repeating: "x", count: padding) + character
      #expect(try json("\"\(content)\"").string == content)
    }
  }

  @Test(
    "escapes say characters",
    arguments: [
      ("\\u0041", "A"), ("\\u00e9", "é"), ("\\u20AC", "€"), ("\\ud83d\\ude80", "🚀"), ("\\uDBFF\\uDFFF", "\u{10ffff}"),
      ("\\n\\t\\r\\b\\f\\/\\\\\\\"", "\n\t\r\u{8}\u{c}/\\\""), ("\\u0001", "\u{1}"),
    ])
  func escapes(escaped: String, content: String) throws { #expect(try json("\"\(escaped)\"").string == content) }

  @Test(
    "surrogates that are not a pair, and the character zero, are refused",
    arguments: [
      "\\ud800", "\\udbff", "\\udc00", "\\udfff", "\\ud800\\ud800", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041",
      "\\u0000",
      "a\\u0000b", "\\ud83d\\ude8", "\\u", "\\u00",
    ])
  func surrogates(escaped: String) { #expect(throws: JSONError.self) { try json("\"\(escaped)\"") } }

  @Test(
    "integers have 64 bits, reals may not overflow",
    arguments: [
      ("9223372036854775807", true), ("9223372036854775808", false), ("-9223372036854775808", true),
      ("-9223372036854775809", false), ("18446744073709551616", false), ("99999999999999999999999", false),
      ("000", false), ("-", false), ("+1", false), ("1.", false), (".5", false), ("1e", false), ("1e+", false),
      ("0x10", false), ("1.7976931348623157e308", true), ("1.7976931348623159e308", false), ("1e308", true),
      ("1e309", false), ("-1e309", false), ("1e-9999", true), ("0e9999", true), ("1e00000000000000000001", true),
      (String(repeating: "9", count: 309) + ".0", false), (String(repeating: "9", count: 300) + ".0", true),
      ("0." + String(repeating: "0", count: 400) + "1e700", true), ("NaN", false), ("Infinity", false),
    ])
  func numbers(lexeme: String, isAccepted: Bool) {
    #expect(((try? json(lexeme)) != nil) == isAccepted)
    #expect(((try? json("[" + lexeme + " ]")) != nil) == isAccepted)
  }

  @Test(
    "a zero byte is refused everywhere, also where jansson overlooks it",
    arguments: ["7\0", "[7\0]", "\0", "\"\0\"", "[]\0"])
  func zeroBytes(text: String) { #expect(throws: JSONError.self) { try json(text) } }

  @Test("depth and size have limits, and the limits themselves are allowed")
  func limits() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[{\"a\":", count: depth / 2) + String(repeating: "[]", count: depth % 2)
        + (depth % 2 == 0 ? "1" : "") + String(repeating: "}]", count: depth / 2)
    }
    _ = try json(nested(128))
    #expect(throws: JSONError.self) { try json(nested(129)) }
    let deep = try #require(throws: JSONError.self) { try json(String(repeating: "[", count: 1_000_000)) }
    #expect(deep.kind == .limit)
    #expect(deep.position == 128)
    let five = JSONLimits(bytes: 5, depth: 1)
    #expect(text(try JSON.parse(Array("[1,2]".utf8), limits: five)) == "[1,2]")
    let long = try #require(throws: JSONError.self) { try JSON.parse(Array("[1,2] ".utf8), limits: five) }
    #expect(long.kind == .limit)
    #expect(throws: JSONError.self) { try JSON.parse(Array("[[]]".utf8), limits: five) }
  }
}
