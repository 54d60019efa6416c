import MusterStore
import MusterSystem

/// Which tasks are about to be gone on with, so that none is taken up twice by this process.
final class Resumes: @unchecked Sendable {
  private let lock = Lock()
  private var taken: [Int64: Int64] = [:]
  private var hasBegun = false
  /// Whether some had no place among the runs under way.
  private var lacksPlace = false

  /// Whether runs that were put aside are gone on with as soon as they can.
  var isOn: Bool { lock.withLock { hasBegun } }

  func begin() { lock.withLock { hasBegun = true } }

  func waitForPlace() { lock.withLock { lacksPlace = true } }

  /// Whether some wait for a place; from now on none does.
  func takeWaiting() -> Bool {
    lock.withLock {
      defer { lacksPlace = false }
      return lacksPlace
    }
  }

  /// False when it is taken already.
  func take(_ task: TaskRow) -> Bool {
    lock.withLock {
      if taken[task.key] == task.fence { return false }
      taken[task.key] = task.fence
      return true
    }
  }

  func has(_ task: TaskRow) -> Bool { lock.withLock { taken[task.key] == task.fence } }

  func giveBack(_ task: TaskRow) { lock.withLock { if taken[task.key] == task.fence { taken[task.key] = nil } } }
}
