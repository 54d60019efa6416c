import MusterJSON
import Testing

@Suite("Schema defaults and documents")
struct JSONSchemaDefaultsTests {
  @Test(
    "defaults are filled in, in the schema's order, and nothing else changes",
    arguments: [
      (#"{"properties":{"a":{"default":1.0},"b":{},"c":{"default":"\u00e9"}}}"#, "{}", #"{"a":1.0,"c":"\u00e9"}"#),
      (
        #"{"properties":{"a":{"default":1},"b":{}}}"#, #"{"z":1,"b":2.50,"y":"\u0041"}"#,
        #"{"a":1,"b":2.50,"z":1,"y":"\u0041"}"#
      ),
      (#"{"properties":{"a":{"type":"string","default":"x"}}}"#, #"{"a":null}"#, #"{"a":"x"}"#),
      (#"{"properties":{"a":{"type":["string","null"],"default":"x"}}}"#, #"{"a":null}"#, #"{"a":null}"#),
      (#"{"properties":{"a":{"type":"string","nullable":true,"default":"x"}}}"#, #"{"a":null}"#, #"{"a":null}"#),
      (#"{"properties":{"a":{"default":"x"}}}"#, #"{"a":null}"#, #"{"a":null}"#),
      (#"{"properties":{"a":{"type":"string"}}}"#, #"{"a":null,"b":null}"#, #"{"b":null}"#),
      (#"{"properties":{"a":{"type":"string","default":null}}}"#, "{}", #"{"a":null}"#),
      (#"{"properties":{"a":{"properties":{"b":{"default":1}}}}}"#, #"{"a":{}}"#, #"{"a":{"b":1}}"#),
      (#"{"properties":{"a":{"properties":{"b":{"default":1}}}}}"#, "{}", "{}"),
      (#"{"properties":{"a":{"default":{},"properties":{"b":{"default":1}}}}}"#, "{}", #"{"a":{}}"#),
      (
        #"{"properties":{"a":{"items":{"properties":{"b":{"default":1}}}}}}"#, #"{"a":[{},{"b":2},7,[{}]]}"#,
        #"{"a":[{"b":1},{"b":2},7,[{}]]}"#
      ),
      (
        #"{"prefixItems":[{},{"properties":{"b":{"default":1}}}],"items":{"properties":{"c":{"default":2}}}}"#,
        "[{},{},{}]", #"[{},{"b":1},{"c":2}]"#
      ),
      (#"{"prefixItems":[{"properties":{"b":{"default":1}}}]}"#, "[{},{}]", #"[{"b":1},{}]"#),
      (
        #"{"additionalProperties":{"properties":{"b":{"default":1}}}}"#, #"{"x":{},"y":{"c":3}}"#,
        #"{"x":{"b":1},"y":{"b":1,"c":3}}"#
      ),
      (
        ##"{"properties":{"a":{"$ref":"#/$defs/a","default":{"from":"outside"}}},"##
          + ##""$defs":{"a":{"default":{},"properties":{"n":{"default":0}}}}}"##,
        "{}", #"{"a":{"from":"outside"}}"#
      ),
      (
        ##"{"properties":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}],"default":null}},"##
          + ##""$defs":{"a":{"properties":{"n":{"default":0}}}}}"##,
        #"{"a":{}}"#, #"{"a":{"n":0}}"#
      ),
      (
        ##"{"properties":{"n":{"default":0},"next":{"$ref":"#"}}}"##, #"{"next":{"next":{}}}"#,
        #"{"n":0,"next":{"n":0,"next":{"n":0}}}"#
      ),
      (#"{"properties":{"a":{"default":1}}}"#, "[{}]", "[{}]"),
      (#"{"properties":{"a":{"default":1}}}"#, "\"text\"", "\"text\""),
      (#"{"properties":{"a":{"type":"string","default":"x"}}}"#, #"{"a":7}"#, #"{"a":7}"#),
      (#"{"properties":{"a":{}}}"#, #"{"\u0061":1,"\u0062":2}"#, #"{"a":1,"\u0062":2}"#),
      ("true", #"{"a":{}}"#, #"{"a":{}}"#),
    ])
  func defaults(schemaText: String, value: String, expected: String) throws {
    let schema = try schema(schemaText)
    let filled = schema.applyingDefaults(to: try json(value))
    #expect(text(filled) == expected)
    #expect(filled.hasSameBytes(try json(expected)))
  }

  @Test("small values cannot be blown up without bound")
  func room() throws {
    let filling = String(repeating: "x", count: 8_000_000)
    let schema = try schema(#"{"items":{"properties":{"a":{"default":"\#(filling)"}}}}"#)
    let few = text(schema.applyingDefaults(to: try json("[{},{}]")))
    #expect(few.utf8.count == 2 * 8_000_000 + 19)
    let many = schema.applyingDefaults(
      to: try json("[" + [String](repeating: "{}", count: 20).joined(separator: ",") + "]"))
    #expect(many.bytes.count > 60_000_000)
    #expect(many.bytes.count < 70_000_000)
    #expect(many.bytes.suffix(7).elementsEqual(",{},{}]".utf8))
  }

  private static let document = ##"""
    {"type":"object","title":"Root","required":["name"],"properties":{
     "name":{"type":"string","x-store":"column","default":"n"},
     "settings":{"$ref":"#/$defs/settings","x-store":"outer","default":{"deep":1}},
     "optional":{"anyOf":[{"$ref":"#/$defs/settings"},{"type":"null"}],"title":"Optional"},
     "wrapped":{"allOf":[{"$ref":"#/$defs/settings"}]},
     "list":{"type":"array","items":{"$ref":"#/$defs/settings"}},
     "tuple":{"prefixItems":[{"type":"string"},{"$ref":"#/$defs/settings"}]},
     "map":{"type":"object","additionalProperties":{"type":"integer"}},
     "closed":{"type":"object","additionalProperties":false},
     "either":{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}},
     "$defs":{"settings":{"type":"object","x-store":"inner","x-inner":true,"title":"Settings","required":["deep"],
     "default":{},"properties":{"deep":{"type":"integer"},"back":{"$ref":"#/$defs/settings"}}}}}
    """##

  @Test("a compiled schema can be walked through")
  func walk() throws {
    let root = try schema(Self.document).root
    #expect(root.isObject)
    #expect(root.required == ["name"])
    #expect(
      root.properties.map(\.name) == [
        "name", "settings", "optional", "wrapped", "list", "tuple", "map", "closed", "either",
      ])
    #expect(root.annotation("title")?.string == "Root")
    #expect(root.annotation("x-none") == nil)
    #expect(root.items == nil)
    let name = try #require(root.property("name"))
    #expect(!name.isObject)
    #expect(name.properties.isEmpty)
    #expect(name.defaultValue?.string == "n")
    #expect(root.property("none") == nil)
    #expect(root.property("list")?.items?.required == ["deep"])
    #expect(root.property("tuple")?.prefixItems.map(\.isObject) == [false, true])
    #expect(root.property("map")?.additional?.source["type"]?.string == "integer")
    #expect(root.property("map")?.isObject == true)
    #expect(root.property("closed")?.additional == nil)
    #expect(root.property("either")?.isObject == false)
    #expect(
      root.property("settings")?.property("back")?.property("back")?.property("deep")?.source["type"]?.string
        == "integer")
  }

  @Test("what only points on is looked through, and the outermost description wins")
  func lookThrough() throws {
    let root = try schema(Self.document).root
    for name in ["settings", "optional", "wrapped"] {
      let node = try #require(root.property(name))
      #expect(node.isObject)
      #expect(node.properties.map(\.name) == ["deep", "back"])
      #expect(node.annotation("x-inner")?.bool == true)
      #expect(node.source["title"]?.string == "Settings")
    }
    #expect(root.property("settings")?.annotation("x-store")?.string == "outer")
    #expect(root.property("optional")?.annotation("x-store")?.string == "inner")
    #expect(root.property("optional")?.annotation("title")?.string == "Optional")
    #expect(root.property("settings").flatMap(\.defaultValue).map { text($0) } == #"{"deep":1}"#)
    #expect(root.property("wrapped").flatMap(\.defaultValue).map { text($0) } == "{}")
    let allowing = root.properties.filter(\.node.allowsNull).map(\.name)
    #expect(allowing == ["optional", "tuple", "either"])
  }
}
