package import MusterSystem

/// Lets the turns of one thread run one after another, in the order in which they came.
package final class TurnQueue: @unchecked Sendable {
  private final class Place {
    let condition = Condition()
    var hasTurn = false
  }

  private let lock = Lock()
  private var queues: [String: [Place]] = [:]

  package init() {}

  /// How waiting for a turn ended.
  package enum Admission {
    case admitted
    case timedOut
    case interrupted(Interrupt.Reason)
  }

  /// Runs `body` when all earlier turns of the thread have ended.
  package func inTurn<Value, Failure: Error>(
    of thread: String, deadline: Deadline, interrupt: Interrupt, _ body: (Admission) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let place = Place()
    lock.withLock {
      place.hasTurn = queues[thread] == nil
      queues[thread, default: []].append(place)
    }
    defer { leave(thread, place) }
    return try body(wait(place, deadline, interrupt))
  }

  private func wait(_ place: Place, _ deadline: Deadline, _ interrupt: Interrupt) -> Admission {
    // The interrupt's lock is always taken before ours, here as in its waker.
    interrupt.whileWaking({ [lock] in lock.withLock { place.condition.signal() } }) {
      while true {
        if let reason = interrupt.reason { return .interrupted(reason) }
        lock.lock()
        defer { lock.unlock() }
        if place.hasTurn { return .admitted }
        // The interrupt is looked at again every 50 ms, should it fire between the look above and the wait.
        _ = place.condition.wait(lock, until: deadline.earlier(.after(milliseconds: 50)))
        if place.hasTurn { return .admitted }
        if deadline.hasPassed { return .timedOut }
      }
    }
  }

  private func leave(_ thread: String, _ place: Place) {
    lock.withLock {
      guard var queue = queues[thread] else { return }
      queue.removeAll { $0 === place }
      if queue.isEmpty {
        queues[thread] = nil
        return
      }
      queues[thread] = queue
      if let first = queue.first, !first.hasTurn {
        first.hasTurn = true
        first.condition.signal()
      }
    }
  }
}
