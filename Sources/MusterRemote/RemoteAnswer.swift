package import MusterJSON

/// What a service answered to a call.
package enum RemoteAnswer: Sendable {
  /// The answer of the operation as it came; `null` when it has none.
  case success([UInt8])
  /// The documented error: its HTTP status, and what stands under `detail`.
  case failure(httpStatus: Int32, detail: JSON, isRetryable: Bool)
}
