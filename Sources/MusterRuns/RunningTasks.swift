import MusterStore
import MusterSystem

/// The runs of this plane by their tasks, so that they can be interrupted.
final class RunningTasks: @unchecked Sendable {
  /// A run under way.
  struct Entry {
    let interrupt: Interrupt
    /// The task as it was when the run took it.
    let task: TaskRow
  }

  private let lock = Lock()
  private var runs: [String: Entry] = [:]

  static func name(_ organization: String, _ task: String) -> String { "\(organization)/\(task)" }

  /// Runs `body` while the run can be found by its task's name.
  func running<Value>(
    _ name: String, _ entry: Entry, _ body: () throws(RunError) -> Value
  ) throws(RunError) -> Value {
    lock.withLock { runs[name] = entry }
    defer {
      lock.withLock {
        if runs[name]?.interrupt === entry.interrupt { runs[name] = nil }
      }
    }
    return try body()
  }

  /// The run of a task.
  func run(_ name: String) -> Entry? { lock.withLock { runs[name] } }

  /// The runs of an agent, in no order.
  func runs(ofAgent agent: String) -> [Entry] {
    lock.withLock { runs.values.filter { $0.task.agentID == agent } }
  }
}
