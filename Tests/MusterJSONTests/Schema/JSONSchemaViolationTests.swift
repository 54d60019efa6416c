import MusterJSON
import Testing

@Suite("Schema violations")
struct JSONSchemaViolationTests {
  @Test(
    "each says what is wrong and where",
    arguments: [
      (#"{"type":"string"}"#, "1", [" wrongType(string)"]),
      (#"{"type":["string","integer"]}"#, "true", [" wrongType(string,integer)"]),
      (#"{"type":"string"}"#, "null", [" nullNotAllowed"]),
      (#"{"type":["string","null"]}"#, "1", [" wrongType(string,null)"]),
      (
        #"{"properties":{"a":{"properties":{"b":{"items":{"type":"integer"}}}}}}"#, #"{"a":{"b":[1,"x",2,null]}}"#,
        ["/a/b/1 wrongType(integer)", "/a/b/3 nullNotAllowed"]
      ),
      (
        #"{"properties":{"a/b":{"properties":{"m~n":{"maxLength":1}}}}}"#, #"{"a/b":{"m~n":"xyz"}}"#,
        ["/a~1b/m~0n tooLong(1)"]
      ),
      (#"{"required":["a","b"]}"#, #"{"b":1}"#, ["/a missing(a)"]),
      (#"{"properties":{"x":{"required":["y"]}}}"#, #"{"x":{}}"#, ["/x/y missing(y)"]),
      (#"{"enum":["a",1]}"#, "\"b\"", [#" notInEnum("a",1)"#]),
      (#"{"const":{"a":1}}"#, "1", [#" notConst({"a":1})"#]),
      (#"{"minimum":1.50}"#, "1", [" belowMinimum(>=1.50)"]),
      (#"{"exclusiveMinimum":1}"#, "1", [" belowMinimum(>1)"]),
      (#"{"maximum":1}"#, "2", [" aboveMaximum(<=1)"]),
      (#"{"maximum":1,"exclusiveMaximum":true}"#, "1", [" aboveMaximum(<1)"]),
      (#"{"multipleOf":0.5}"#, "0.7", [" notMultipleOf(0.5)"]),
      (#"{"minLength":2,"enum":["ab"]}"#, "\"x\"", [#" notInEnum("ab")"#, " tooShort(2)"]),
      (#"{"maxLength":1}"#, "\"xy\"", [" tooLong(1)"]),
      (#"{"minItems":2,"uniqueItems":true}"#, "[1]", [" tooFewItems(2)"]),
      (
        #"{"maxItems":1,"uniqueItems":true,"items":{"type":"string"}}"#, "[1,1]",
        [" tooManyItems(1)", " notUnique", "/0 wrongType(string)", "/1 wrongType(string)"]
      ),
      (#"{"contains":{"const":1},"minContains":2,"maxContains":3}"#, "[1]", [" tooFewMatches(2)"]),
      (#"{"contains":{"const":1},"minContains":2,"maxContains":3}"#, "[1,1,1,1]", [" tooManyMatches(3)"]),
      (#"{"minProperties":1}"#, "{}", [" tooFewProperties(1)"]),
      (#"{"maxProperties":1}"#, #"{"a":1,"b":2}"#, [" tooManyProperties(1)"]),
      (
        #"{"additionalProperties":false,"properties":{"b":{}}}"#, #"{"a":1,"b":2,"c\n":3}"#,
        ["/a additionalProperty(a)", "/c\n additionalProperty(c\n)"]
      ),
      (#"{"additionalProperties":{"type":"string"}}"#, #"{"a":1,"b":"x"}"#, ["/a wrongType(string)"]),
      (#"{"propertyNames":{"maxLength":1}}"#, #"{"a":1,"bc":{"de":1},"f":2}"#, ["/bc invalidKey(bc)"]),
      (#"{"dependentRequired":{"a":["b"]}}"#, #"{"a":1}"#, ["/b missing(b)"]),
      (#"{"anyOf":[{"minimum":5},{"multipleOf":2}]}"#, "3", [" noneMatches"]),
      (#"{"anyOf":[{"type":"string"},{"type":"integer"}]}"#, "true", [" noneMatches"]),
      (#"{"oneOf":[{"minimum":5},{"multipleOf":2}]}"#, "6", [" notExactlyOne"]),
      (#"{"oneOf":[{"minimum":5},{"multipleOf":2}]}"#, "3", [" notExactlyOne"]),
      (#"{"items":{"not":{"const":1}}}"#, "[0,1]", ["/1 matchesForbidden"]),
      (#"{"properties":{"a":false}}"#, #"{"a":[1]}"#, ["/a falseSchema"]),
      (#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, #"{"a":1}"#, ["/b missing(b)"]),
      (##"{"$ref":"#/$defs/x","$defs":{"x":{"type":"string"}}}"##, "1", [" wrongType(string)"]),
      (#"{"allOf":[{"required":["a"]},{"minProperties":1}]}"#, "{}", ["/a missing(a)", " tooFewProperties(1)"]),
    ])
  func reasons(schemaText: String, value: String, expected: [String]) throws {
    #expect(try violations(try schema(schemaText), value) == expected)
  }

  @Test("an alternative that the type leaves alone speaks for all")
  func onlyAlternative() throws {
    let optional = try schema(#"{"anyOf":[{"type":"string","maxLength":2},{"type":"null"}]}"#)
    #expect(try violations(optional, "\"abc\"") == [" tooLong(2)"])
    #expect(try violations(optional, "7") == [" wrongType(string)"])
    #expect(try violations(optional, "null") == [])
    let shapes = try schema(
      ##"""
      {"oneOf":[{"type":"integer","minimum":3},{"$ref":"#/$defs/list"},{"enum":["a","b"]}],
       "$defs":{"list":{"type":"array","items":{"type":"string"}}}}
      """##)
    #expect(try violations(shapes, "[\"x\",1]") == ["/1 wrongType(string)"])
    #expect(try violations(shapes, "2") == [" belowMinimum(>=3)"])
    #expect(try violations(shapes, "\"c\"") == [#" notInEnum("a","b")"#])
    #expect(try violations(shapes, "{}") == [" notExactlyOne"])
  }

  @Test("violations come in the schema's order of properties, then the value's order")
  func order() throws {
    let schema = try schema(
      #"""
      {"additionalProperties":false,"required":["z","b","a","y"],
       "properties":{"a":{"type":"string"},"b":{"type":"string"},"c":{"type":"object","required":["d"]}}}
      """#)
    #expect(
      try violations(schema, #"{"extra":1,"c":{},"b":1,"more":2}"#) == [
        "/a missing(a)", "/b wrongType(string)", "/c/d missing(d)", "/z missing(z)", "/y missing(y)",
        "/extra additionalProperty(extra)", "/more additionalProperty(more)",
      ])
  }

  @Test("no more than the limit are told, and at least one")
  func limit() throws {
    let schema = try schema(#"{"items":{"type":"string"}}"#)
    #expect(try violations(schema, "[1,2,3]", limit: 2) == ["/0 wrongType(string)", "/1 wrongType(string)"])
    #expect(try violations(schema, "[1,2,3]", limit: 3).count == 3)
    #expect(try violations(schema, "[1,2,3]", limit: 0).count == 1)
    #expect(try violations(schema, "[1,2,3]", limit: -5).count == 1)
  }

  @Test("paths are from the value that was checked, wherever it stands in its text")
  func innerValue() throws {
    let document = try json(#"{"x":[{"args":{"a":[1,{"b":"c"}]}}]}"#)
    let value = try #require(document["x"]?.elements.first?["args"])
    let schema = try schema(#"{"properties":{"a":{"items":{"type":"integer"}}}}"#)
    let found = schema.violations(of: value)
    #expect(found.map(\.path) == [[.key("a"), .index(1)]])
  }
}
