import MusterJSON
import Testing

/// What a schema accepts and what it refuses.
struct KeywordCase: Sendable, CustomTestStringConvertible {
  let schema: String
  let accepted: [String]
  let refused: [String]

  init(_ schema: String, _ accepted: [String], not refused: [String]) {
    self.schema = schema
    self.accepted = accepted
    self.refused = refused
  }

  var testDescription: String { schema }
}

@Suite("Schema keywords")
struct JSONSchemaKeywordTests {
  private func check(_ row: KeywordCase) throws {
    let schema = try schema(row.schema)
    for value in row.accepted {
      #expect(schema.accepts(try json(value)), "\(value) against \(row.schema)")
      #expect(schema.violations(of: try json(value)).isEmpty)
    }
    for value in row.refused {
      #expect(!schema.accepts(try json(value)), "\(value) against \(row.schema)")
      #expect(!schema.violations(of: try json(value)).isEmpty)
    }
  }

  @Test(
    "types",
    arguments: [
      KeywordCase(
        #"{"type":"integer"}"#, ["1", "-0", "1.0", "1e3", "1.50e1", "0.0", "1e300"],
        not: ["1.5", "1e-1", "\"1\"", "null", "true"]),
      KeywordCase(#"{"type":"number"}"#, ["1", "1.5", "-1e-3"], not: ["\"1\"", "null", "[]", "false"]),
      KeywordCase(#"{"type":"string"}"#, ["\"\"", "\"1\""], not: ["1", "null", "{}", "[]", "true"]),
      KeywordCase(#"{"type":"object"}"#, ["{}", "{\"a\":1}"], not: ["[]", "\"{}\"", "null", "1", "true"]),
      KeywordCase(#"{"type":"array"}"#, ["[]", "[1]"], not: ["{}", "\"\"", "null", "1", "true"]),
      KeywordCase(#"{"type":"boolean"}"#, ["true", "false"], not: ["0", "\"true\"", "null"]),
      KeywordCase(#"{"type":"null"}"#, ["null"], not: ["0", "false", "\"\"", "[]", "{}"]),
      KeywordCase(#"{"type":["integer","string"]}"#, ["1", "\"a\""], not: ["1.5", "null", "true", "[]"]),
      KeywordCase(#"{"type":["object","null"]}"#, ["{}", "null"], not: ["[]", "0"]),
      KeywordCase("true", ["1", "null", "{}"], not: []),
      KeywordCase("{}", ["1", "null", "{}"], not: []),
      KeywordCase("false", [], not: ["1", "null", "{}", "[]", "\"\""]),
      KeywordCase(#"{"type":"string","nullable":true}"#, ["\"\"", "null"], not: ["1"]),
      KeywordCase(#"{"enum":["a"],"nullable":true}"#, ["\"a\"", "null"], not: ["\"b\""]),
      KeywordCase(
        #"{"anyOf":[{"type":"string","nullable":true},{"type":"integer"}]}"#, ["\"\"", "1", "null"], not: ["true"]),
      KeywordCase(
        ##"{"oneOf":[{"$ref":"#/$defs/a"},{"type":"integer"}],"$defs":{"a":{"type":"string","nullable":true}}}"##,
        ["\"\"", "1", "null"], not: ["true"]),
      KeywordCase(#"{"type":"string","nullable":false}"#, ["\"\""], not: ["null"]),
      KeywordCase(
        ##"{"$ref":"#/$defs/a","nullable":true,"$defs":{"a":{"type":"string"}}}"##, ["\"\"", "null"], not: ["1"]),
    ])
  func types(row: KeywordCase) throws { try check(row) }

  @Test(
    "choices are compared by value",
    arguments: [
      KeywordCase(
        #"{"enum":[1,"a",null,[2],{"x":1,"y":[1.0]}]}"#,
        ["1", "1.0", "10e-1", "\"a\"", "\"\\u0061\"", "null", "[2.00]", #"{"y":[1],"x":1e0}"#],
        not: ["2", "true", "\"A\"", "[]", "[2,2]", #"{"x":1}"#, #"{"x":1,"y":[1],"z":0}"#, "\"1\""]),
      KeywordCase(#"{"enum":[]}"#, [], not: ["1", "null"]),
      KeywordCase(#"{"enum":[0]}"#, ["0", "0.0", "-0", "0e5"], not: ["false", "\"\"", "null", "[]"]),
      KeywordCase(#"{"enum":[false]}"#, ["false"], not: ["0", "[false]", "true"]),
      KeywordCase(
        #"{"const":9007199254740992}"#, ["9007199254740992", "9007199254740992.0", "9.007199254740992e15"],
        not: ["9007199254740993", "9007199254740991", "9007199254740992.5"]),
      KeywordCase(
        #"{"const":{"a":"x","b":"y"}}"#, [#"{"b":"y","a":"x"}"#], not: [#"{"a":"y","b":"x"}"#, #"{"a":"x"}"#, "[]"]),
      KeywordCase(#"{"const":["a,b"]}"#, [#"["a,b"]"#], not: [#"["a","b"]"#, #"["a\",\"b"]"#]),
      KeywordCase(#"{"const":"a\"]"}"#, [#""a\"]""#, #""a\u0022\u005d""#], not: [#""a]""#, #"["a"]"#]),
      KeywordCase(#"{"const":null}"#, ["null"], not: ["0", "\"null\""]),
      KeywordCase(#"{"const":0.1}"#, ["0.1", "0.10", "1e-1"], not: ["0.1000000000000000055511151231257827", "0.2"]),
    ])
  func choices(row: KeywordCase) throws { try check(row) }

  @Test(
    "numbers are compared exactly",
    arguments: [
      KeywordCase(
        #"{"minimum":1.1}"#, ["1.1", "1.10", "2.6", "\"x\"", "null"], not: ["0.6", "1.0999999999999999999", "-3"]),
      KeywordCase(#"{"minimum":-2}"#, ["-2", "-2.0", "-1", "0", "100"], not: ["-2.0001", "-3", "-1e9"]),
      KeywordCase(#"{"minimum":0}"#, ["0", "-0", "0.0", "1e-300"], not: ["-1e-300", "-1"]),
      KeywordCase(#"{"maximum":3.0}"#, ["2.6", "3", "3.0", "-10"], not: ["3.5", "30", "3.00000000000000000001"]),
      KeywordCase(
        #"{"maximum":9223372036854775807}"#, ["9223372036854775807", "9223372036854775806.5"],
        not: ["9223372036854775807.5", "1e19"]),
      KeywordCase(#"{"exclusiveMinimum":1.1}"#, ["1.2", "1.1000001"], not: ["1.1", "1.10", "0.6"]),
      KeywordCase(#"{"exclusiveMaximum":3}"#, ["2.2", "2.999999"], not: ["3.0", "3", "3.5"]),
      KeywordCase(
        #"{"minimum":1,"exclusiveMinimum":true,"maximum":2,"exclusiveMaximum":false}"#, ["1.5", "2"],
        not: ["1", "1.0", "2.1"]),
      KeywordCase(#"{"minimum":1,"exclusiveMinimum":3}"#, ["3.1"], not: ["3", "2", "0"]),
      KeywordCase(#"{"multipleOf":2}"#, ["10", "0", "-4", "1e2", "\"x\""], not: ["7", "1.5", "-3"]),
      KeywordCase(#"{"multipleOf":1.5}"#, ["0", "4.5", "-3", "15e1"], not: ["35", "0.15"]),
      KeywordCase(#"{"multipleOf":0.0001}"#, ["0.0075", "1", "12.3456"], not: ["0.00751", "0.00005"]),
      KeywordCase(#"{"multipleOf":0.01}"#, ["4.35", "19.99", "0.07", "1e308"], not: ["4.355"]),
      KeywordCase(#"{"multipleOf":7}"#, ["7e300", "9223372036854775807"], not: ["1e300", "9223372036854775806"]),
      KeywordCase(
        #"{"multipleOf":999999999999999999}"#, ["999999999999999999", "1999999999999999998"],
        not: ["999999999999999998", "1e18"]),
      KeywordCase(#"{"multipleOf":10}"#, ["10", "1e1", "100.0"], not: ["1", "5", "15"]),
      KeywordCase(#"{"multipleOf":0.123456789}"#, ["0.123456789", "1.23456789"], not: ["1e300"]),
    ])
  func numbers(row: KeywordCase) throws { try check(row) }

  @Test(
    "lengths are counted in code points",
    arguments: [
      KeywordCase(
        #"{"minLength":2}"#, ["\"ab\"", "\"abc\"", "\"éé\"", "7", "[]"],
        not: ["\"a\"", "\"\"", "\"🚀\"", "\"\\n\"", #""\ud83d\ude80""#]),
      KeywordCase(
        #"{"maxLength":2}"#, ["\"\"", "\"ab\"", "\"🚀🚀\"", #""\ud83d\ude80\ud83d\ude80""#, #""\"\\""#, "100"],
        not: ["\"abc\"", "\"e\u{301}x\"", #""\u0061\u0062\u0063""#]),
      KeywordCase(#"{"minLength":2.0,"maxLength":2e0}"#, ["\"ab\""], not: ["\"a\"", "\"abc\""]),
      KeywordCase(#"{"maxLength":0}"#, ["\"\""], not: ["\"a\""]),
    ])
  func strings(row: KeywordCase) throws { try check(row) }

  @Test(
    "arrays",
    arguments: [
      KeywordCase(#"{"items":{"type":"integer"}}"#, ["[]", "[1,2]", "{\"0\":\"x\"}"], not: ["[1,\"x\"]", "[null]"]),
      KeywordCase(#"{"items":false}"#, ["[]", "1"], not: ["[1]"]),
      KeywordCase(
        #"{"prefixItems":[{"type":"integer"},{"type":"string"}]}"#, ["[]", "[1]", "[1,\"a\",true]"],
        not: ["[\"a\"]", "[1,2]"]),
      KeywordCase(
        #"{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}"#, ["[1]", "[1,\"a\",\"b\"]"],
        not: ["[1,\"a\",2]", "[1,1]"]),
      KeywordCase(
        #"{"items":[{"type":"integer"}],"additionalItems":false}"#, ["[]", "[1]"], not: ["[1,2]", "[\"a\"]"]),
      KeywordCase(#"{"items":{"type":"integer"},"additionalItems":false}"#, ["[1,2]"], not: ["[\"a\"]"]),
      KeywordCase(#"{"minItems":1}"#, ["[1]", "[1,2]", "\"\""], not: ["[]"]),
      KeywordCase(#"{"maxItems":2.0}"#, ["[]", "[[1,2,3],{\"a\":1,\"b\":2}]"], not: ["[1,2,3]"]),
      KeywordCase(
        #"{"uniqueItems":true}"#,
        [
          "[]", "[1,2]", "[1,true]", "[0,false]", "[{\"a\":1},{\"a\":2}]", "[[1],[2]]", "[\"1\",1]",
          #"["a,b",["a","b"]]"#, "[{},[]]",
        ],
        not: [
          "[1,1]", "[1,1.0]", "[3,1,2,1]", #"[{"a":1,"b":2},{"b":2.0,"a":1}]"#, #"["a","\u0061"]"#, "[[1],[1.0]]",
          "[null,null]",
        ]),
      KeywordCase(#"{"uniqueItems":false}"#, ["[1,1]"], not: []),
      KeywordCase(#"{"contains":{"minimum":5}}"#, ["[3,5]", "[\"x\"]", "{}"], not: ["[]", "[1,2]"]),
      KeywordCase(
        #"{"contains":{"const":1},"minContains":2}"#, ["[1,1]", "[1,2,1]", "[1,1,1]"], not: ["[1]", "[1,2]", "[]"]),
      KeywordCase(#"{"contains":{"const":1},"maxContains":1}"#, ["[1]", "[1,2]"], not: ["[1,1]", "[]", "[2]"]),
      KeywordCase(
        #"{"contains":{"const":1},"minContains":0,"maxContains":1}"#, ["[]", "[2]", "[1]"], not: ["[1,2,1]"]),
      KeywordCase(#"{"contains":{"const":1},"minContains":0}"#, ["[]", "[2]"], not: []),
      KeywordCase(#"{"minContains":2}"#, ["[]", "[1]"], not: []),
    ])
  func arrays(row: KeywordCase) throws { try check(row) }

  @Test(
    "objects",
    arguments: [
      KeywordCase(
        #"{"properties":{"a":{"type":"integer"},"b":{"type":"string"}}}"#,
        ["{}", #"{"a":1,"b":"x","c":[]}"#, "[]", "\"a\""], not: [#"{"a":"x"}"#, #"{"b":1,"a":1}"#, #"{"\u0061":"x"}"#]),
      KeywordCase(
        #"{"properties":{"a":true,"b":false}}"#, ["{}", #"{"a":1}"#], not: [#"{"b":1}"#, #"{"a":1,"b":null}"#]),
      KeywordCase(
        #"{"required":["a","b\n"]}"#, [#"{"b\n":0,"a":null}"#, "[]", #"{"b\u000a":0,"\u0061":1}"#],
        not: ["{}", #"{"a":1}"#, #"{"b\n":1}"#]),
      KeywordCase(
        #"{"properties":{"a":{}},"additionalProperties":false}"#, ["{}", #"{"a":1}"#, "[1]"],
        not: [#"{"b":1}"#, #"{"a":1,"A":2}"#]),
      KeywordCase(#"{"additionalProperties":false,"required":["a"]}"#, ["7"], not: ["{}", #"{"a":1}"#]),
      KeywordCase(
        #"{"properties":{"a":{}},"additionalProperties":{"type":"integer"}}"#, [#"{"a":"x","b":1}"#],
        not: [#"{"b":"x"}"#]),
      KeywordCase(#"{"additionalProperties":true}"#, [#"{"a":1}"#], not: []),
      KeywordCase(
        #"{"allOf":[{"properties":{"a":{}}}],"additionalProperties":{"type":"integer"}}"#, [#"{"a":1}"#],
        not: [#"{"a":"x"}"#]),
      KeywordCase(
        #"{"propertyNames":{"maxLength":3}}"#, ["{}", #"{"abc":1}"#, "[\"abcd\"]"],
        not: [#"{"abcd":1}"#, #"{"a":1,"bcde":2}"#]),
      KeywordCase(#"{"propertyNames":false}"#, ["{}"], not: [#"{"a":1}"#]),
      KeywordCase(#"{"propertyNames":{"enum":["a","b"]}}"#, [#"{"\u0061":1,"b":2}"#], not: [#"{"c":1}"#]),
      KeywordCase(
        #"{"minProperties":1,"maxProperties":2}"#, [#"{"a":1}"#, #"{"a":1,"b":{"c":1,"d":2,"e":3}}"#, "[]", "\"\""],
        not: ["{}", #"{"a":1,"b":2,"c":3}"#]),
      KeywordCase(
        #"{"dependentRequired":{"a":["b","c"],"d":[]}}"#, ["{}", #"{"b":1}"#, #"{"a":1,"b":2,"c":3}"#, #"{"d":1}"#],
        not: [#"{"a":1}"#, #"{"a":1,"b":2}"#]),
      KeywordCase(
        #"{"dependentSchemas":{"a":{"properties":{"b":{"type":"integer"}}},"z":false}}"#,
        ["{}", #"{"b":"x"}"#, #"{"a":1,"b":2}"#], not: [#"{"a":1,"b":"x"}"#, #"{"z":1}"#]),
      KeywordCase(
        #"{"dependencies":{"a":["b"],"c":{"required":["d"]}}}"#, ["{}", #"{"a":1,"b":2}"#, #"{"c":1,"d":2}"#],
        not: [#"{"a":1}"#, #"{"c":1}"#]),
    ])
  func objects(row: KeywordCase) throws { try check(row) }

  @Test(
    "combinations",
    arguments: [
      KeywordCase(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, ["1", "3", "\"x\""], not: ["0", "4"]),
      KeywordCase(#"{"anyOf":[{"type":"integer"},{"minimum":2}]}"#, ["1", "2.5", "\"x\""], not: ["1.5"]),
      KeywordCase(
        #"{"anyOf":[{"required":["a"]},{"required":["b"]}]}"#, [#"{"a":1}"#, #"{"b":1}"#, "1"],
        not: ["{}", #"{"c":1}"#]),
      KeywordCase(
        #"{"anyOf":[{"type":"string","maxLength":3},{"type":"null"}]}"#, ["null", "\"abc\""], not: ["\"abcd\"", "1"]),
      KeywordCase(#"{"anyOf":[false,true]}"#, ["1"], not: []),
      KeywordCase(#"{"anyOf":[false,false]}"#, [], not: ["1", "null"]),
      KeywordCase(#"{"oneOf":[{"type":"integer"},{"minimum":2}]}"#, ["1", "2.5", "\"x\""], not: ["3", "1.5"]),
      KeywordCase(#"{"oneOf":[true,true,false]}"#, [], not: ["1"]),
      KeywordCase(#"{"oneOf":[true,false,false]}"#, ["1"], not: []),
      KeywordCase(#"{"oneOf":[{"type":["string","null"]},{"type":"null"}]}"#, ["\"x\""], not: ["null", "1"]),
      KeywordCase(
        #"{"oneOf":[{"required":["a","b"]},{"required":["a","c"]},{"required":["d"]}]}"#,
        [#"{"a":1,"b":2}"#, #"{"a":1,"c":2}"#, #"{"d":1}"#],
        not: ["{}", #"{"a":1,"b":2,"c":3}"#, #"{"a":1,"b":1,"d":1}"#]),
      KeywordCase(#"{"not":{"type":["integer","boolean"]}}"#, ["1.5", "\"x\"", "null"], not: ["1", "true"]),
      KeywordCase(#"{"not":{"not":{"type":"integer"}}}"#, ["1"], not: ["\"x\""]),
      KeywordCase(#"{"not":false}"#, ["1"], not: []),
      KeywordCase(
        #"{"not":{"properties":{"a":{"anyOf":[{"const":1},{"const":2}]}},"required":["a"]}}"#, ["{}", #"{"a":3}"#],
        not: [#"{"a":1}"#, #"{"a":2}"#]),
      KeywordCase(
        #"{"if":{"minimum":10},"then":{"multipleOf":2},"else":{"multipleOf":3}}"#, ["12", "9", "\"x\""],
        not: ["11", "8"]),
      KeywordCase(
        #"{"if":{"properties":{"kind":{"const":"a"}},"required":["kind"]},"then":{"required":["a"]}}"#,
        ["{}", #"{"kind":"b"}"#, #"{"kind":"a","a":1}"#], not: [#"{"kind":"a"}"#]),
      KeywordCase(#"{"if":false,"else":{"type":"integer"}}"#, ["1"], not: ["\"x\""]),
      KeywordCase(#"{"then":false,"else":false}"#, ["1"], not: []),
      KeywordCase(#"{"if":false}"#, ["1"], not: []),
      KeywordCase(
        #"{"anyOf":[{"items":{"anyOf":[{"const":1},{"const":2}]}},{"maxItems":1}]}"#, ["[1,2]", "[3]"],
        not: ["[1,3]", "[3,1]"]),
      KeywordCase(
        #"{"contains":{"not":{"contains":{"const":1}}}}"#, ["[[2],[1]]", "[[1],[2]]", "[[]]"],
        not: ["[[1],[1]]", "[]"]),
    ])
  func combinations(row: KeywordCase) throws { try check(row) }

  @Test("keywords that only describe change nothing")
  func annotations() throws {
    let schema = try schema(
      #"""
      {"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"x","$comment":"c","title":"t",
       "description":"d","default":7,
       "examples":[1],"format":"uuid","deprecated":true,"readOnly":true,"writeOnly":true,"contentMediaType":"a/b",
       "contentEncoding":"base64","x-anything":{"pattern":"["},"discriminator":{"propertyName":"kind"},
       "$defs":{"unused":{"pattern":"["}}}
      """#)
    for value in ["1", "\"text\"", "null", "{}"] { #expect(schema.accepts(try json(value))) }
  }
}
