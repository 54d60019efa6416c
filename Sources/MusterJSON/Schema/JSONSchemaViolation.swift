/// One way in which a value breaks a schema.
package struct JSONSchemaViolation: Sendable {
  /// What is wrong, with what a message needs to say it.
  package enum Reason: Sendable {
    /// A required key is missing; the path ends with that key.
    case missing(key: String)
    /// The types that the schema names, in its order.
    case wrongType(expected: [JSONSchemaType])
    /// The value is null where the schema's types leave no room for null.
    case nullNotAllowed
    case notInEnum(allowed: [JSON])
    case notConst(expected: JSON)
    /// `exclusive`: the bound itself is too small as well.
    case belowMinimum(exclusive: Bool, bound: JSON)
    /// `exclusive`: the bound itself is too large as well.
    case aboveMaximum(exclusive: Bool, bound: JSON)
    case notMultipleOf(divisor: JSON)
    /// A string of fewer code points than `bound`.
    case tooShort(bound: Int)
    /// A string of more code points than `bound`.
    case tooLong(bound: Int)
    case tooFewItems(bound: Int)
    case tooManyItems(bound: Int)
    case notUnique
    /// Fewer elements than `bound` match `contains`.
    case tooFewMatches(bound: Int)
    /// More elements than `bound` match `contains`.
    case tooManyMatches(bound: Int)
    case tooFewProperties(bound: Int)
    case tooManyProperties(bound: Int)
    /// A key that the schema does not know; the path ends with that key.
    case additionalProperty(key: String)
    /// A key that breaks `propertyNames`; the path ends with that key.
    case invalidKey(key: String)
    /// No schema of `anyOf` matches.
    case noneMatches
    /// None, or more than one, of `oneOf` matches.
    case notExactlyOne
    /// The schema of `not` matches.
    case matchesForbidden
    /// The schema is `false`: no value is allowed here.
    case falseSchema
    /// The check was given up: it would take too many steps. The value counts as wrong; the path is empty.
    case tooComplex
  }

  /// The steps from the checked value to the part that is wrong; empty for the value itself.
  package let path: [JSONPathElement]
  package let reason: Reason

  /// The path as a JSON pointer (RFC 6901); empty for the value itself.
  package var pointer: String { JSONPath.pointer(path) }
}
