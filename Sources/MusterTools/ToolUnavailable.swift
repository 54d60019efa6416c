/// Why a tool cannot be called.
package enum ToolUnavailable: Error, Equatable {
  /// No tool has the name.
  case unknown
  /// It is called on the thread that waits for the run alone, and there is none.
  case callerOnly
  /// A call with the same id has not ended.
  case underWay
  /// No thread is to be had for it.
  case noThread
  /// The registry is closed, or is being closed.
  case closed
}
