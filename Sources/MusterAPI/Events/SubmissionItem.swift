/// What a submitted call gives.
package enum SubmissionItem: Sendable {
  /// An event as a JSON text, with the number of the last journal record before its end.
  case data([UInt8], sequence: Int64)
  /// The last, exactly one: the answer, or the last event; and why it failed, if it did. A run that was ended early has
  /// both.
  case final([UInt8]?, sequence: Int64, failure: Failure?)
  /// Not of a call, but of a tool of the host: it is called, or nobody waits for a call of it any more.
  case tool([UInt8], isCancel: Bool)
}
