import MusterJSON
import Testing

@Suite("Schema references and errors")
struct JSONSchemaReferenceTests {
  @Test(
    "references are followed",
    arguments: [
      (##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"integer"}}}"##, "1", "\"x\""),
      (##"{"$ref":"#/definitions/a","definitions":{"a":{"type":"integer"}}}"##, "1", "\"x\""),
      (
        ##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/c"},"c":{"type":"integer"}}}"##,
        "1", "\"x\""
      ),
      (##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}"##, #"{"a":{"a":{}}}"#, #"{"a":{"b":1}}"#),
      (##"{"properties":{"a":{"type":"integer"},"b":{"$ref":"#/properties/a"}}}"##, #"{"b":1}"#, #"{"b":"x"}"#),
      (##"{"prefixItems":[{"type":"integer"},{"$ref":"#/prefixItems/0"}]}"##, "[1,2]", "[1,\"x\"]"),
      (##"{"$ref":"#/$defs/a~1b~0c%25d%22","$defs":{"a/b~c%d\"":{"type":"integer"}}}"##, "1", "\"x\""),
      (##"{"$ref":"#/$defs/","$defs":{"":{"type":"integer"}}}"##, "1", "\"x\""),
      (##"{"$ref":"#/$defs/no","$defs":{"no":false}, "not":true}"##, "", "1"),
      (##"{"$ref":"#/$defs/a","maximum":3,"$defs":{"a":{"type":"integer"}}}"##, "3", "4"),
      (##"{"properties":{"$ref":{"type":"string"}}}"##, #"{"$ref":"a"}"#, #"{"$ref":2}"#),
      (
        ##"{"properties":{"a":{"$id":"inner","$ref":"#/$defs/x","$defs":{"x":{"type":"integer"}}}},"##
          + ##""$defs":{"x":{"type":"string"}}}"##,
        #"{"a":1}"#, #"{"a":"x"}"#
      ),
      (
        ##"{"$ref":"#/$defs/in/$defs/y","$defs":{"x":{"type":"string"},"in":{"$id":"in","##
          + ##""$defs":{"x":{"type":"integer"},"y":{"$ref":"#/$defs/x"}}}}}"##,
        "1", "\"x\""
      ),
    ])
  func followed(schemaText: String, accepted: String, refused: String) throws {
    let schema = try schema(schemaText)
    if !accepted.isEmpty { #expect(schema.accepts(try json(accepted))) }
    #expect(!schema.accepts(try json(refused)))
  }

  @Test("components are looked up by name, refer to each other, and have their own root")
  func components() throws {
    let components = ##"""
      {"Tree":{"type":"object","properties":{"name":{"$ref":"#/components/schemas/Name"},"nodes":{"type":"array",
       "items":{"$ref":"#/components/schemas/Tree"}},"self":{"$ref":"#"},"own":{"$ref":"#/$defs/own"}},
       "$defs":{"own":{"type":"integer"}}},"Name":{"type":"string","minLength":1},"Bad":{"pattern":"x"}}
      """##
    let schema = try schema(
      ##"{"properties":{"tree":{"$ref":"#/components/schemas/Tree"},"##
        + ##""part":{"$ref":"#/components/schemas/Tree/properties/name"}}}"##,
      components: components)
    #expect(
      try violations(schema, #"{"tree":{"name":"a","nodes":[{"name":"b","nodes":[]}],"self":{"own":1}},"part":"x"}"#)
        == [])
    #expect(
      try violations(schema, #"{"tree":{"name":"a","nodes":[{"nodes":[{"name":""}]}],"self":{"own":"1"}},"part":1}"#)
        == [
          "/tree/nodes/0/nodes/0/name tooShort(1)", "/tree/self/own wrongType(integer)", "/part wrongType(string)",
        ])
    let error = try #require(throws: JSONSchemaError.self) {
      try JSONSchema.compile(try json(##"{"$ref":"#/components/schemas/Bad"}"##), components: try json(components))
    }
    #expect(error.kind == .unsupported)
    #expect(error.keyword == "pattern")
    #expect(error.pointer == "#/components/schemas/Bad/pattern")
  }

  @Test(
    "what cannot be checked is refused, with the keyword and its place",
    arguments: [
      (#"{"pattern":"^a$"}"#, "pattern", "#/pattern"),
      (#"{"properties":{"a/b":{"items":{"pattern":"x"}}}}"#, "pattern", "#/properties/a~1b/items/pattern"),
      (#"{"anyOf":[{},{"patternProperties":{}}]}"#, "patternProperties", "#/anyOf/1/patternProperties"),
      (#"{"unevaluatedProperties":false}"#, "unevaluatedProperties", "#/unevaluatedProperties"),
      (#"{"not":{"unevaluatedItems":false}}"#, "unevaluatedItems", "#/not/unevaluatedItems"),
      (##"{"$dynamicRef":"#a"}"##, "$dynamicRef", "#/$dynamicRef"),
      (##"{"$recursiveRef":"#"}"##, "$recursiveRef", "#/$recursiveRef"),
      (#"{"$ref":"https://example.com/a.json"}"#, "$ref", "#/$ref"),
      (#"{"$ref":"other.json#/$defs/a"}"#, "$ref", "#/$ref"),
    ])
  func unsupported(schemaText: String, keyword: String, pointer: String) throws {
    let error = try #require(throws: JSONSchemaError.self) { try schema(schemaText) }
    #expect(error.kind == .unsupported)
    #expect(error.keyword == keyword)
    #expect(error.pointer == pointer)
    #expect(error.description.contains(keyword) || keyword == "$ref")
  }

  @Test(
    "keywords with values of a wrong form are refused",
    arguments: [
      ("7", "", "#"), ("[]", "", "#"), (#"{"items":null}"#, "", "#/items"), (#"{"not":1}"#, "", "#/not"),
      (#"{"type":"strnig"}"#, "type", "#/type"), (#"{"type":[]}"#, "type", "#/type"),
      (#"{"type":["string",1]}"#, "type", "#/type"),
      (#"{"type":null}"#, "type", "#/type"), (#"{"enum":"a"}"#, "enum", "#/enum"),
      (#"{"required":"a"}"#, "required", "#/required"),
      (#"{"required":true}"#, "required", "#/required"), (#"{"required":[1]}"#, "required", "#/required"),
      (#"{"minLength":"1"}"#, "minLength", "#/minLength"), (#"{"minLength":-1}"#, "minLength", "#/minLength"),
      (#"{"maxItems":1.5}"#, "maxItems", "#/maxItems"), (#"{"minimum":"1"}"#, "minimum", "#/minimum"),
      (#"{"multipleOf":0}"#, "multipleOf", "#/multipleOf"), (#"{"multipleOf":-1}"#, "multipleOf", "#/multipleOf"),
      (#"{"multipleOf":0.1234567890123456789}"#, "multipleOf", "#/multipleOf"), (#"{"allOf":{}}"#, "allOf", "#/allOf"),
      (#"{"anyOf":[]}"#, "anyOf", "#/anyOf"), (#"{"oneOf":true}"#, "oneOf", "#/oneOf"),
      (#"{"anyOf":[1]}"#, "", "#/anyOf/0"),
      (#"{"properties":[]}"#, "properties", "#/properties"), (#"{"properties":{"a":1}}"#, "", "#/properties/a"),
      (#"{"additionalProperties":1}"#, "", "#/additionalProperties"),
      (#"{"uniqueItems":1}"#, "uniqueItems", "#/uniqueItems"),
      (#"{"nullable":"yes"}"#, "nullable", "#/nullable"), (#"{"$ref":1}"#, "$ref", "#/$ref"),
      (#"{"dependentRequired":[]}"#, "dependentRequired", "#/dependentRequired"),
      (#"{"dependentRequired":{"a":"b"}}"#, "dependentRequired", "#/dependentRequired/a"),
      (#"{"dependentSchemas":{"a":[]}}"#, "", "#/dependentSchemas/a"),
      (#"{"prefixItems":{}}"#, "prefixItems", "#/prefixItems"),
    ])
  func invalid(schemaText: String, keyword: String, pointer: String) throws {
    let error = try #require(throws: JSONSchemaError.self) { try schema(schemaText) }
    #expect(error.kind == .invalid)
    #expect(error.keyword == keyword)
    #expect(error.pointer == pointer)
  }

  @Test(
    "references that lead nowhere are refused",
    arguments: [
      ##"{"$ref":"#/$defs/a"}"##, ##"{"$ref":"#/$defs/a","$defs":{"b":{}}}"##,
      ##"{"$ref":"#/$defs/a","$defs":{"a":1}}"##,
      ##"{"$ref":"#/components/schemas/A"}"##, ##"{"$ref":"#anchor"}"##, ##"{"$ref":"#/allOf/1","allOf":[{}]}"##,
      ##"{"$ref":"#/allOf/-1","allOf":[{}]}"##, ##"{"$ref":"#/allOf/99999999999999999999","allOf":[{}]}"##,
      ##"{"$ref":"#/type/x","type":"string"}"##,
    ])
  func unresolved(schemaText: String) throws {
    let error = try #require(throws: JSONSchemaError.self) { try schema(schemaText) }
    #expect(error.kind == .unresolved)
    #expect(error.keyword == "$ref")
    #expect(error.pointer == "#/$ref")
  }

  @Test(
    "schemas that lead back to themselves without a step into the value are refused",
    arguments: [
      ##"{"$ref":"#"}"##, ##"{"allOf":[{"$ref":"#"}]}"##, ##"{"anyOf":[{"type":"string"},{"$ref":"#"}]}"##,
      ##"{"not":{"oneOf":[{"$ref":"#"}]}}"##, ##"{"if":{"type":"string"},"then":{"$ref":"#"}}"##,
      ##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##,
      ##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
      ##"{"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"$ref":"#/$defs/a"}}}"##,
    ])
  func loops(schemaText: String) throws {
    let error = try #require(throws: JSONSchemaError.self) { try schema(schemaText) }
    #expect(error.kind == .loop)
    #expect(error.pointer.hasPrefix("#"))
  }

  @Test("a schema that is used twice, or comes back behind a step, is no loop")
  func noLoop() throws {
    _ = try schema(##"{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}],"$defs":{"a":{"items":{"$ref":"#"}}}}"##)
    _ = try schema(
      ##"{"properties":{"a":{"$ref":"#"}},"additionalProperties":{"$ref":"#"},"propertyNames":{"$ref":"#"}}"##)
  }
}
