import MusterStore
import MusterSystem

/// Runs of this process that ended without a record of it, because the store refused the last write.
final class StrayRuns: @unchecked Sendable {
  private let lock = Lock()
  private var tasks: [TaskRow] = []

  func add(_ task: TaskRow) { lock.withLock { tasks.append(task) } }

  /// Takes the run that this task is of; nil when it is no stray.
  func take(_ task: TaskRow) -> TaskRow? {
    lock.withLock {
      guard let index = tasks.firstIndex(where: { $0.key == task.key && $0.fence == task.fence }) else { return nil }
      return tasks.remove(at: index)
    }
  }

  func takeAll() -> [TaskRow] {
    lock.withLock {
      let taken = tasks
      tasks = []
      return taken
    }
  }
}
