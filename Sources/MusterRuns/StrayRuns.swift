import MusterStore
import MusterSystem

/// Runs of this process that ended without a record of it, because the store refused the last write.
final class StrayRuns: @unchecked Sendable {
  private let lock = Lock()
  private var tasks: [TaskRow] = []

  func add(_ task: TaskRow) { lock.withLock { tasks.append(task) } }

  func takeAll() -> [TaskRow] {
    lock.withLock {
      let taken = tasks
      tasks = []
      return taken
    }
  }
}
