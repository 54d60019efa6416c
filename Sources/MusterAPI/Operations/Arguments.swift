package import MusterJSON

/// What a caller hands to an operation.
package struct Arguments: Sendable {
  /// Path and query parameters by name.
  package var parameters: [(name: String, value: JSON)]
  package var body: JSON?
  /// The ticket under which the call can be cancelled.
  package var ticket: UInt64?

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
          guard entry.key == "ticket" else {
            throw Failure(.unsupported, "context.\(entry.key) does nothing in this version")
          }
          guard let number = entry.value.int64, number > 0 else {
            throw Failure(.misuse, "context.ticket must be a ticket of muster_ticket_new()")
          }
          ticket = UInt64(number)
        }
      default: parameters.append((member.key, member.value))
      }
    }
  }
}
