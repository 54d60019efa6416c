package import MusterSystem

/// A key with which a caller marks the repetitions of one call, so that they have one effect.
package struct IdempotencyKey: Sendable {
  /// Keys of different organizations and operations have nothing to do with each other.
  package let organizationID: String
  package let operation: String
  package let key: String
  /// The digest of the request: a repetition has the same.
  package let fingerprint: String

  package init(organizationID: String, operation: String, key: String, fingerprint: String) {
    self.organizationID = organizationID
    self.operation = operation
    self.key = key
    self.fingerprint = fingerprint
  }
}

/// What is written down with the effect of a call that carries a key.
package struct IdempotencyEntry: Sendable {
  package let key: IdempotencyKey
  /// The id of what the call made.
  package let resourceID: String
  /// The answer, if it is known when the effect is written.
  package let answer: [UInt8]?

  package init(key: IdempotencyKey, resourceID: String, answer: [UInt8]?) {
    self.key = key
    self.resourceID = resourceID
    self.answer = answer
  }
}

/// What is known of a call that carried a key.
package struct IdempotencyRecord: Sendable {
  package let fingerprint: String
  package let resourceID: String
  /// The turn that the call began, if it began one.
  package let turn: Int64?
  /// Nil until it is known.
  package let answer: [UInt8]?
  package let createdAt: Timestamp
}
