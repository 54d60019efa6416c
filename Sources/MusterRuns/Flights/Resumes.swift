import MusterStore
import MusterSystem

/// Which tasks that were put aside this process goes on with, and which are about to be gone on with, so that none is taken up
/// twice by it.
final class Resumes: @unchecked Sendable {
  private let lock = Lock()
  private var taken: [Int64: Int64] = [:]
  private var hasBegun = false
  /// The tasks that this process has put aside itself.
  private var own: Set<TaskName> = []
  /// From which of them on they are looked at next.
  private var nextKept = 0
  /// Those that wait for a tool: the record that each was at when that was found.
  private var toolless: [Int64: Int64] = [:]
  /// Whether some had no place among the runs under way, and which besides.
  private var lacksPlace = false
  private var placeless: Set<TaskName> = []

  /// Whether whatever was put aside is gone on with as soon as it can.
  var isOn: Bool { lock.withLock { hasBegun } }

  func begin() { lock.withLock { hasBegun = true } }

  // MARK: - What is gone on with

  /// This process has put the task aside, and goes on with it whoever decides that it can.
  func keep(_ task: TaskRow) { lock.withLock { _ = own.insert(TaskName(task.organizationID, task.id)) } }

  /// It has ended, is gone, or is somebody else's.
  func forget(_ name: TaskName) { lock.withLock { _ = own.remove(name) } }

  func forget(_ task: TaskRow) { forget(TaskName(task.organizationID, task.id)) }

  /// Some of those that are kept, others each time, for who looks whether they are still there.
  func kept(_ most: Int) -> [TaskName] {
    lock.withLock {
      let all = Array(own)
      let count = min(most, all.count)
      defer { nextKept = all.isEmpty ? 0 : (nextKept &+ count) % all.count }
      return (0..<count).map { all[(nextKept &+ $0) % all.count] }
    }
  }

  /// Whether there is anything that another process could make ready to go on.
  var isWatching: Bool { lock.withLock { hasBegun || !own.isEmpty } }

  /// Whether a task is for this process.
  func concern(_ task: TaskRow) -> Bool {
    lock.withLock { hasBegun || own.contains(TaskName(task.organizationID, task.id)) }
  }

  /// It waits for a tool, until one comes.
  func lackTool(_ task: TaskRow) { lock.withLock { toolless[task.key] = task.sequence } }

  func lacksTool(_ task: TaskRow) -> Bool { lock.withLock { toolless[task.key] == task.sequence } }

  func toolCame() { lock.withLock { toolless = [:] } }

  // MARK: - Places

  /// A task had no place; nil: of all, some had none.
  func waitForPlace(_ name: TaskName? = nil) {
    lock.withLock {
      if let name { placeless.insert(name) } else { lacksPlace = true }
    }
  }

  func lacksPlace(_ task: TaskRow) -> Bool {
    lock.withLock { placeless.contains(TaskName(task.organizationID, task.id)) }
  }

  /// Who waits for a place; from now on nobody does. Nil when nobody did.
  func takeWaiting() -> (all: Bool, names: Set<TaskName>)? {
    lock.withLock {
      defer {
        lacksPlace = false
        placeless = []
      }
      return lacksPlace || !placeless.isEmpty ? (lacksPlace, placeless) : nil
    }
  }

  // MARK: - Taking up

  /// False when it is taken already.
  func take(_ task: TaskRow) -> Bool {
    lock.withLock {
      if taken[task.key] == task.fence { return false }
      taken[task.key] = task.fence
      return true
    }
  }

  func has(_ task: TaskRow) -> Bool { lock.withLock { taken[task.key] == task.fence } }

  /// It runs here.
  func takeUp(_ task: TaskRow) {
    lock.withLock {
      own.remove(TaskName(task.organizationID, task.id))
      toolless[task.key] = nil
    }
    giveBack(task)
  }

  func giveBack(_ task: TaskRow) { lock.withLock { if taken[task.key] == task.fence { taken[task.key] = nil } } }
}
