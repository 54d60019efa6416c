extension JSONSchemaViolation {
  /// What is wrong, in the words of the documented service's validation errors.
  package var message: String {
    switch reason {
    case .missing: return "field required"
    case .wrongType(let expected):
      switch expected.first {
      case .string: return "str type expected"
      case .integer: return "value is not a valid integer"
      case .number: return "value is not a valid float"
      case .boolean: return "value could not be parsed to a boolean"
      case .array: return "value is not a valid list"
      case .object: return "value is not a valid dict"
      case .null, nil: return "value is not none"
      }
    case .nullNotAllowed: return "none is not an allowed value"
    case .notInEnum(let allowed):
      let words = allowed.map { value in value.string.map { "'\($0)'" } ?? Self.written(value) }
      return "value is not a valid enumeration member; permitted: \(words.joined(separator: ", "))"
    case .notConst(let expected):
      return "unexpected value; permitted: \(Self.written(expected))"
    case .belowMinimum(let exclusive, let bound):
      return "ensure this value is greater than \(exclusive ? "" : "or equal to ")\(Self.written(bound))"
    case .aboveMaximum(let exclusive, let bound):
      return "ensure this value is less than \(exclusive ? "" : "or equal to ")\(Self.written(bound))"
    case .notMultipleOf(let divisor):
      return "ensure this value is a multiple of \(Self.written(divisor))"
    case .tooShort(let bound): return "ensure this value has at least \(bound) characters"
    case .tooLong(let bound): return "ensure this value has at most \(bound) characters"
    case .tooFewItems(let bound): return "ensure this value has at least \(bound) items"
    case .tooManyItems(let bound): return "ensure this value has at most \(bound) items"
    case .notUnique: return "the list has duplicated items"
    case .tooFewMatches(let bound): return "ensure at least \(bound) items match"
    case .tooManyMatches(let bound): return "ensure at most \(bound) items match"
    case .tooFewProperties(let bound): return "ensure this value has at least \(bound) keys"
    case .tooManyProperties(let bound): return "ensure this value has at most \(bound) keys"
    case .additionalProperty: return "extra fields not permitted"
    case .invalidKey: return "key is not allowed"
    case .noneMatches: return "value matches none of the allowed forms"
    case .notExactlyOne: return "value does not match exactly one of the allowed forms"
    case .matchesForbidden: return "value matches a forbidden form"
    case .falseSchema: return "no value is allowed here"
    case .tooComplex: return "value is too complex to be checked"
    }
  }

  private static func written(_ json: JSON) -> String { String(decoding: json.bytes, as: UTF8.self) }

  /// The documented service's name for this kind of error.
  package var type: String {
    switch reason {
    case .missing: return "value_error.missing"
    case .wrongType(let expected):
      switch expected.first {
      case .string: return "type_error.str"
      case .integer: return "type_error.integer"
      case .number: return "type_error.float"
      case .boolean: return "type_error.bool"
      case .array: return "type_error.list"
      case .object: return "type_error.dict"
      case .null, nil: return "type_error.not_none"
      }
    case .nullNotAllowed: return "type_error.none.not_allowed"
    case .notInEnum: return "type_error.enum"
    case .notConst: return "value_error.const"
    case .belowMinimum(let exclusive, _): return exclusive ? "value_error.number.not_gt" : "value_error.number.not_ge"
    case .aboveMaximum(let exclusive, _): return exclusive ? "value_error.number.not_lt" : "value_error.number.not_le"
    case .notMultipleOf: return "value_error.number.not_multiple"
    case .tooShort: return "value_error.any_str.min_length"
    case .tooLong: return "value_error.any_str.max_length"
    case .tooFewItems: return "value_error.list.min_items"
    case .tooManyItems: return "value_error.list.max_items"
    case .notUnique: return "value_error.list.unique_items"
    case .additionalProperty: return "value_error.extra"
    case .tooFewMatches, .tooManyMatches, .tooFewProperties, .tooManyProperties, .invalidKey, .noneMatches,
      .notExactlyOne, .matchesForbidden, .falseSchema, .tooComplex:
      return "value_error"
    }
  }
}
