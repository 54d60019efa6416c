package import MusterSystem

/// Why a model gave no usable answer.
package struct ModelFailure: Error, Sendable {
  package enum Kind: Sendable, Equatable {
    /// No connection, one that is not trusted, or one that broke.
    case unreachable
    /// The deadline of the attempt has passed.
    case timedOut
    /// Status 429.
    case rateLimited
    /// Any other status that is no success.
    case http
    /// A success whose content is not what was asked for.
    case invalidAnswer
    /// The model declined to answer.
    case refused
    /// The provider's content filter took the answer, or the question, away.
    case filtered
    case interrupted(Interrupt.Reason)
    /// The caller's `tick` said to stop.
    case abandoned
    /// Something that has to be configured first: provider, base, key.
    case notConfigured
    /// The network policy does not allow the address.
    case forbidden
  }

  package let kind: Kind
  /// The status, if there was an answer over HTTP.
  package let httpStatus: Int?
  /// One line for people: provider, model and host, and what happened. It never holds a key.
  package let message: String
  /// Whether the same request may succeed later. Never for `timedOut`: the deadline was the caller's.
  package let isTransient: Bool
  /// How long the provider asked to wait, at most 60,000.
  package let retryAfterMilliseconds: Int64?

  package init(
    kind: Kind, httpStatus: Int? = nil, message: String, isTransient: Bool = false, retryAfterMilliseconds: Int64? = nil
  ) {
    self.kind = kind
    self.httpStatus = httpStatus
    self.message = message
    self.isTransient = isTransient
    self.retryAfterMilliseconds = retryAfterMilliseconds
  }
}
