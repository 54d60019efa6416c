import MusterJSON
import Testing

@Suite("Words for schema violations")
struct JSONSchemaWordingTests {
  @Test(
    "are those of the documented service",
    arguments: [
      (#"{"required":["a"]}"#, "{}", "field required", "value_error.missing"),
      (#"{"type":"string"}"#, "1", "str type expected", "type_error.str"),
      (#"{"type":["integer","null"]}"#, "\"x\"", "value is not a valid integer", "type_error.integer"),
      (#"{"type":"number"}"#, "\"x\"", "value is not a valid float", "type_error.float"),
      (#"{"type":"boolean"}"#, "\"x\"", "value could not be parsed to a boolean", "type_error.bool"),
      (#"{"type":"array"}"#, "1", "value is not a valid list", "type_error.list"),
      (#"{"type":"object"}"#, "1", "value is not a valid dict", "type_error.dict"),
      (#"{"type":"object"}"#, "null", "none is not an allowed value", "type_error.none.not_allowed"),
      (
        #"{"enum":["a","b",1.50,null]}"#, "2",
        "value is not a valid enumeration member; permitted: 'a', 'b', 1.50, null", "type_error.enum"
      ),
      (#"{"const":["a"]}"#, "1", #"unexpected value; permitted: ["a"]"#, "value_error.const"),
      (
        #"{"minimum":1.0}"#, "0", "ensure this value is greater than or equal to 1.0", "value_error.number.not_ge"
      ),
      (#"{"exclusiveMinimum":0}"#, "0", "ensure this value is greater than 0", "value_error.number.not_gt"),
      (#"{"maximum":50}"#, "51", "ensure this value is less than or equal to 50", "value_error.number.not_le"),
      (#"{"exclusiveMaximum":50}"#, "50", "ensure this value is less than 50", "value_error.number.not_lt"),
      (#"{"multipleOf":2}"#, "3", "ensure this value is a multiple of 2", "value_error.number.not_multiple"),
      (
        #"{"minLength":1}"#, "\"\"", "ensure this value has at least 1 characters", "value_error.any_str.min_length"
      ),
      (
        #"{"maxLength":1}"#, "\"ab\"", "ensure this value has at most 1 characters", "value_error.any_str.max_length"
      ),
      (#"{"minItems":1}"#, "[]", "ensure this value has at least 1 items", "value_error.list.min_items"),
      (#"{"maxItems":1}"#, "[1,2]", "ensure this value has at most 1 items", "value_error.list.max_items"),
      (#"{"uniqueItems":true}"#, "[1,1]", "the list has duplicated items", "value_error.list.unique_items"),
      (#"{"additionalProperties":false}"#, "{\"a\":1}", "extra fields not permitted", "value_error.extra"),
    ])
  func words(schemaText: String, value: String, message: String, type: String) throws {
    let violation = try #require(try schema(schemaText).violations(of: try json(value)).first)
    #expect(violation.message == message)
    #expect(violation.type == type)
  }
}
