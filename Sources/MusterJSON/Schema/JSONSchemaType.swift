/// A type that a schema names.
package enum JSONSchemaType: Sendable, Equatable {
  case object, array, string, integer, number, boolean, null

  /// The type by its name in a schema.
  init?(name: JSON) {
    for type in [Self.object, .array, .string, .integer, .number, .boolean, .null] where name.isString(type.name) {
      self = type
      return
    }
    return nil
  }

  /// Its name in a schema.
  package var name: String {
    switch self {
    case .object: return "object"
    case .array: return "array"
    case .string: return "string"
    case .integer: return "integer"
    case .number: return "number"
    case .boolean: return "boolean"
    case .null: return "null"
    }
  }
}

/// The types that a value may have. Whole numbers and other numbers are kept apart; `number` in a schema means both.
struct JSONSchemaTypes: OptionSet, Sendable {
  let rawValue: UInt8

  static let object = JSONSchemaTypes(rawValue: 1)
  static let array = JSONSchemaTypes(rawValue: 2)
  static let string = JSONSchemaTypes(rawValue: 4)
  static let whole = JSONSchemaTypes(rawValue: 8)
  static let fraction = JSONSchemaTypes(rawValue: 16)
  static let boolean = JSONSchemaTypes(rawValue: 32)
  static let null = JSONSchemaTypes(rawValue: 64)
  static let all = JSONSchemaTypes(rawValue: 127)

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// What a schema's type admits.
  init(_ type: JSONSchemaType) {
    switch type {
    case .object: self = .object
    case .array: self = .array
    case .string: self = .string
    case .integer: self = .whole
    case .number: self = [.whole, .fraction]
    case .boolean: self = .boolean
    case .null: self = .null
    }
  }

  /// The one type of a value.
  init(of value: JSON) {
    switch value.kind {
    case .object: self = .object
    case .array: self = .array
    case .string: self = .string
    case .boolean: self = .boolean
    case .null: self = .null
    case .integer: self = .whole
    case .real: self = JSONDecimal(value.bytes).isInteger ? .whole : .fraction
    }
  }
}
