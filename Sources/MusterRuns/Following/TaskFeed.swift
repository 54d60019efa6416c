import MusterStore
import MusterSystem

/// The turns that this process runs and that can be followed, by their tasks; and the followers of turns that others run.
package final class TaskFeed: @unchecked Sendable {
  private let lock = Lock()
  private var turns: [TaskName: LiveTurn] = [:]
  private var polled: [Int: Follower] = [:]
  private var lastNumber = 0
  private var isClosed = false
  /// Called when the first follower has to be polled.
  private let needsPolling: @Sendable () -> Void

  init(needsPolling: @escaping @Sendable () -> Void) { self.needsPolling = needsPolling }

  func publish(_ turn: LiveTurn, as name: TaskName) { lock.withLock { turns[name] = turn } }

  func retire(_ turn: LiveTurn, as name: TaskName) {
    lock.withLock { if turns[name] === turn { turns[name] = nil } }
  }

  func turn(_ organization: String, _ task: String) -> LiveTurn? {
    lock.withLock { turns[TaskName(organization, task)] }
  }

  /// Has a follower look again whenever anything was committed.
  func poll(_ follower: Follower) {
    let isFirst = lock.withLock { () -> Bool? in
      if isClosed { return nil }
      if follower.number == 0 {
        lastNumber &+= 1
        follower.number = lastNumber
      }
      polled[follower.number] = follower
      return polled.count == 1
    }
    guard let isFirst else { return follower.endWithPlane() }
    if isFirst { needsPolling() }
  }

  /// Ends the followers of what somebody else may go on with, now and later: nobody looks for them any more.
  func close() {
    let followers = lock.withLock { () -> [Follower] in
      isClosed = true
      defer { polled = [:] }
      return polled.map { $0.value }
    }
    for follower in followers { follower.endWithPlane() }
  }

  func stopPolling(_ follower: Follower) {
    lock.withLock { _ = polled.removeValue(forKey: follower.number) }
  }

  var hasPolled: Bool { lock.withLock { !polled.isEmpty } }

  /// Lets the polled followers look.
  func tellPolled() {
    let followers = lock.withLock { polled.map { $0.value } }
    for follower in followers { follower.tellOwner() }
  }
}
