import MusterSystem

/// What the calling thread is doing for tools.
package enum ToolThread {
  /// Whether it is inside a call of a tool.
  package static var isInCall: Bool { ThreadFrame.current != nil }

  /// Whether it is inside a call of a tool that a task waits for: directly, or by what that call waits for itself. A turn
  /// of that task would be waited for in vain.
  package static func serves(_ organization: String, _ task: String) -> Bool {
    ThreadFrame.current?.isIn(name(organization, task)) ?? false
  }

  /// The frame of a call for a task that this thread starts.
  static func frame(_ organization: String, _ task: String) -> ThreadFrame {
    ThreadFrame(name(organization, task), inside: ThreadFrame.current)
  }

  /// No text has a U+0000.
  private static func name(_ organization: String, _ task: String) -> String { "\(organization)\u{0}\(task)" }
}
