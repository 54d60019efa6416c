import MusterStore

/// Notices that a task was taken from the run that watches it: stopped, deleted, or run by another process.
final class TaskWatch {
  private let store: Store
  private let task: TaskRow
  private var seen: Int64?

  init(store: Store, task: TaskRow) {
    self.store = store
    self.task = task
  }

  /// Looks only when the store has changed since the last look; microseconds otherwise. A store that cannot be read takes nothing away.
  func isStillOurs() -> Bool {
    do throws(StoreError) {
      let number = try store.changeNumber()
      if number == seen { return true }
      guard case .found(let now) = try store.task(task.id, in: task.organizationID) else { return false }
      seen = number
      return now.key == task.key && now.fence == task.fence
    } catch {
      return true
    }
  }
}
