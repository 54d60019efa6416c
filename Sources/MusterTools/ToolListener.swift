/// Who waits for the result of a call of a tool.
package protocol ToolListener: AnyObject, Sendable {
  /// The call has ended. Exactly once, unless it was cancelled; on any thread, under no lock, and perhaps before
  /// `ToolRegistry.start` has returned.
  func returned(_ result: ToolResult)
}
