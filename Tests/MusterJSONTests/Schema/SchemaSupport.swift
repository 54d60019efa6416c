import MusterJSON

/// A schema from a text that must be one.
func schema(_ text: String, components: String? = nil) throws -> JSONSchema {
  try JSONSchema.compile(try json(text), components: try components.map { try json($0) })
}

/// The violations as lines such as `/a/0 tooShort(2)`.
func violations(_ schema: JSONSchema, _ value: String, limit: Int = 20) throws -> [String] {
  schema.violations(of: try json(value), limit: limit).map { "\($0.pointer) \(words($0.reason))" }
}

private func words(_ reason: JSONSchemaViolation.Reason) -> String {
  switch reason {
  case .missing(let key): return "missing(\(key))"
  case .wrongType(let expected): return "wrongType(\(expected.map(\.name).joined(separator: ",")))"
  case .nullNotAllowed: return "nullNotAllowed"
  case .notInEnum(let allowed): return "notInEnum(\(allowed.map { text($0) }.joined(separator: ",")))"
  case .notConst(let expected): return "notConst(\(text(expected)))"
  case .belowMinimum(let exclusive, let bound): return "belowMinimum(\(exclusive ? ">" : ">=")\(text(bound)))"
  case .aboveMaximum(let exclusive, let bound): return "aboveMaximum(\(exclusive ? "<" : "<=")\(text(bound)))"
  case .notMultipleOf(let divisor): return "notMultipleOf(\(text(divisor)))"
  case .tooShort(let bound): return "tooShort(\(bound))"
  case .tooLong(let bound): return "tooLong(\(bound))"
  case .tooFewItems(let bound): return "tooFewItems(\(bound))"
  case .tooManyItems(let bound): return "tooManyItems(\(bound))"
  case .notUnique: return "notUnique"
  case .tooFewMatches(let bound): return "tooFewMatches(\(bound))"
  case .tooManyMatches(let bound): return "tooManyMatches(\(bound))"
  case .tooFewProperties(let bound): return "tooFewProperties(\(bound))"
  case .tooManyProperties(let bound): return "tooManyProperties(\(bound))"
  case .additionalProperty(let key): return "additionalProperty(\(key))"
  case .invalidKey(let key): return "invalidKey(\(key))"
  case .noneMatches: return "noneMatches"
  case .notExactlyOne: return "notExactlyOne"
  case .matchesForbidden: return "matchesForbidden"
  case .falseSchema: return "falseSchema"
  case .tooComplex: return "tooComplex"
  }
}
