import MusterSystem

/// The runs of this plane by their tasks, so that they can be interrupted.
final class RunningTasks: @unchecked Sendable {
  private let lock = Lock()
  private var runs: [String: (interrupt: Interrupt, agent: String)] = [:]

  static func name(_ organization: String, _ task: String) -> String { "\(organization)/\(task)" }

  /// Runs `body` while the run can be found by its task's name.
  func running<Value>(
    _ name: String, agent: String, _ interrupt: Interrupt, _ body: () throws(RunError) -> Value
  ) throws(RunError) -> Value {
    lock.withLock { runs[name] = (interrupt, agent) }
    defer {
      lock.withLock {
        if runs[name]?.interrupt === interrupt { runs[name] = nil }
      }
    }
    return try body()
  }

  func interrupt(_ name: String, _ reason: Interrupt.Reason) {
    lock.withLock { runs[name]?.interrupt }?.fire(reason)
  }

  func interrupt(agent: String, _ reason: Interrupt.Reason) {
    let found = lock.withLock { runs.values.filter { $0.agent == agent }.map { $0.interrupt } }
    for interrupt in found { interrupt.fire(reason) }
  }
}
