package import MusterJSON

/// What a caller hands to an operation.
package struct Arguments: Sendable {
  /// Path and query parameters by name.
  package var parameters: [(name: String, value: JSON)]
  package var body: JSON?
  /// The ticket under which the call can be cancelled.
  package var ticket: UInt64?
  /// The key by which repetitions of the call are known.
  package var idempotencyKey: String?
  /// The time of a submitted call; nil takes the plane's.
  package var timeoutMilliseconds: Int64?
  /// How many items a page has, for who makes one list of all pages: more than callers may ask for.
  package var itemsPerPage: Int64?

  package init(parameters: [(name: String, value: JSON)] = [], body: JSON? = nil, ticket: UInt64? = nil) {
    self.parameters = parameters
    self.body = body
    self.ticket = ticket
  }

  /// Takes the arguments' object apart: parameters at the top level, `body`, and `context`.
  package init(_ object: JSON) throws(Failure) {
    guard object.kind == .object else { throw Failure(.json, "the arguments must be a JSON object") }
    self.init()
    for member in object.members {
      switch member.key {
      case "body": body = member.value
      case "context":
        if member.value.isNull { continue }
        guard member.value.kind == .object else { throw Failure(.misuse, "context must be an object") }
        for entry in member.value.members {
          try setContext(entry.key, entry.value)
        }
      default: parameters.append((member.key, member.value))
      }
    }
  }

  private mutating func setContext(_ key: String, _ value: JSON) throws(Failure) {
    switch key {
    case "ticket":
      guard let number = value.int64, number > 0 else {
        throw Failure(.misuse, "context.ticket must be a ticket of muster_ticket_new()")
      }
      ticket = UInt64(number)
    case "idempotency_key":
      if value.isNull { return }
      guard let text = value.string, Arguments.canBeIdempotencyKey(text) else {
        throw Failure(
          .misuse, "context.idempotency_key must be a text of 1 to 255 bytes without control characters")
      }
      idempotencyKey = text
    case "timeout_ms":
      if value.isNull { return }
      guard let number = value.int64, number > 0 else {
        throw Failure(.misuse, "context.timeout_ms must be a number of milliseconds, at least 1")
      }
      timeoutMilliseconds = number
    default: throw Failure(.unsupported, "context.\(key) does nothing in this version")
    }
  }
}
