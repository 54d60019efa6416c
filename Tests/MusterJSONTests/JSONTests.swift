import MusterJSON
import Testing

@Suite("Values")
struct JSONTests {
  @Test("accessors of another type answer nil or empty, and never trap")
  func wrongTypes() throws {
    for source in ["{\"a\":1}", "[1]", "\"text\"", "7", "1.5", "true", "null"] {
      let value = try json(source)
      if value.kind != .object {
        #expect(value.members.isEmpty)
        #expect(value["a"] == nil)
        #expect(value.present("a") == nil)
      }
      if value.kind != .array { #expect(value.elements.isEmpty) }
      if value.kind != .string {
        #expect(value.string == nil)
        #expect(value.utf8 == nil)
        #expect(!value.isString("text"))
      }
      if value.kind != .integer { #expect(value.int64 == nil) }
      if value.kind != .integer, value.kind != .real { #expect(value.double == nil) }
      if value.kind != .boolean { #expect(value.bool == nil) }
      #expect(value.isNull == (value.kind == .null))
    }
  }

  @Test("a text that is no JSON at all answers like null")
  func noText() {
    for bytes in [[], [0x22], [0x7b], [0x5b], [0x7b, 0x22], Array("{\"a\":".utf8), Array("{\"a\"}".utf8), [0x2c]]
      as [[UInt8]]
    {
      let value = JSON.trusted(bytes)
      #expect(value.members.isEmpty)
      #expect(value.elements.isEmpty)
      #expect(value["a"] == nil)
      #expect(value.int64 == nil)
    }
  }

  @Test("members and elements come in order, with keys' escapes resolved")
  func members() throws {
    let value = try json(#"{"b":[1,{"x":"}]\""},"é"],"a\n":{},"\u0063":null}"#)
    #expect(value.members.map(\.key) == ["b", "a\n", "c"])
    #expect(value.members.map { text($0.lexeme) } == [#""b""#, #""a\n""#, #""\u0063""#])
    #expect(value["b"]?.elements.map { text($0) } == ["1", #"{"x":"}]\""}"#, "\"é\""])
    #expect(value["c"]?.isNull == true)
    #expect(value.present("c") == nil)
    #expect(value.present("a\n")?.isEmpty == true)
    #expect(value["\\u0063"] == nil)
    #expect(value["b"]?.elements[1]["x"]?.string == "}]\"")
  }

  @Test("numbers keep their lexeme and have a value")
  func numbers() throws {
    let value = try json("[-0,12,9223372036854775807,-9223372036854775808,1.50,1e3,-2.5E-1]")
    #expect(value.elements.map(\.int64) == [0, 12, .max, .min, nil, nil, nil])
    #expect(
      value.elements.map(\.double) == [0, 12, 9.223372036854775807e18, -9.223372036854775808e18, 1.5, 1000, -0.25])
    #expect(value.elements.map(\.kind) == [.integer, .integer, .integer, .integer, .real, .real, .real])
    #expect(text(value.elements[4]) == "1.50")
  }

  @Test("a detached value has its own text")
  func detached() throws {
    let value = try json("{\"a\":[1,2,{\"b\":null}]}")
    let inner = try #require(value["a"]).detached
    #expect(text(inner) == "[1,2,{\"b\":null}]")
    #expect(inner.elements.count == 3)
    #expect(inner.hasSameBytes(try #require(value["a"])))
  }

  @Test("empty is null and what has nothing in it")
  func empty() throws {
    for source in ["null", "\"\"", "[]", "{}"] { #expect(try json(source).isEmpty) }
    for source in ["0", "false", "\" \"", "[0]", "10", "{\"\":0}"] { #expect(try json(source).isEmpty == false) }
  }

  @Test("setting members keeps places, appends new ones, and leaves other bytes alone")
  func setting() throws {
    let value = try json(#"{"a":1.0,"\u0062":[1],"c":"\u00e9"}"#)
    let changed = value.setting([("b", .string("x")), ("new", .integer(-5))])
    #expect(text(changed) == #"{"a":1.0,"\u0062":"x","c":"\u00e9","new":-5}"#)
    #expect(text(try json("{}").setting([("a", .boolean(true)), ("b", .null)])) == #"{"a":true,"b":null}"#)
    #expect(text(try json("{}").setting([])) == "{}")
  }

  @Test("the writer takes the members of another object as they stand there")
  func spliced() throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.members(of: try json("{}"))
    writer.members(of: try json(#"[{"a":1.50,"b":"\/"}]"#).elements[0])
    writer.members(of: try json("[1]"))
    writer.members(of: try json(#"{"c":{}}"#))
    writer.member("d", true)
    writer.endObject()
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":1.50,"b":"\/","c":{},"d":true}"#)
  }

  @Test("the writer writes what the parser reads")
  func writer() throws {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("text", "a\"b\\c\u{1}é")
    writer.member("none", nil as String?)
    writer.member("least", .min as Int64?)
    writer.member("zero", 0 as Int64?)
    writer.member("flag", false)
    writer.memberIfPresent("absent", nil)
    writer.memberIfPresent("present", try json("[1.0]"))
    writer.key("list")
    writer.beginArray()
    writer.value(1 as Int64)
    writer.beginObject()
    writer.endObject()
    writer.null()
    writer.value(true)
    writer.beginArray()
    writer.endArray()
    writer.endArray()
    writer.endObject()
    let expected =
      #"{"text":"a\"b\\c\u0001é","none":null,"least":-9223372036854775808,"zero":0,"flag":false,"#
      + #""present":[1.0],"list":[1,{},null,true,[]]}"#
    #expect(text(writer.json) == expected)
    #expect(try JSON.parse(writer.bytes).hasSameBytes(writer.json))
  }
}
