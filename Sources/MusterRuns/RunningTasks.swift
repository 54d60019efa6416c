import MusterStore
import MusterSystem

/// The runs of this plane by their tasks, so that they can be interrupted.
final class RunningTasks: @unchecked Sendable {
  /// A run under way.
  struct Entry {
    let interrupt: Interrupt
    /// As it was when the run took it.
    let task: TaskRow

    var held: HeldTask { HeldTask(key: task.key, fence: task.fence) }
  }

  private let lock = Lock()
  private var runs: [TaskName: Entry] = [:]

  /// Runs `body` while the run can be found by its task's name.
  func running<Value>(
    _ name: TaskName, _ entry: Entry, _ body: () throws(RunError) -> Value
  ) throws(RunError) -> Value {
    add(name, entry)
    defer { remove(name, entry.interrupt) }
    return try body()
  }

  func add(_ name: TaskName, _ entry: Entry) { lock.withLock { runs[name] = entry } }

  func remove(_ name: TaskName, _ interrupt: Interrupt) {
    lock.withLock { if runs[name]?.interrupt === interrupt { runs[name] = nil } }
  }

  /// The run of a task.
  func run(_ name: TaskName) -> Entry? { lock.withLock { runs[name] } }

  /// The runs of an agent, in no order.
  func runs(ofAgent agent: String) -> [Entry] {
    lock.withLock { runs.values.filter { $0.task.agentID == agent } }
  }
}
