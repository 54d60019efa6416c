package import MusterSystem

/// How waiting for a turn ended.
package enum Admission {
  case admitted
  /// Others are before it, and it may not wait.
  case refused
  case timedOut
  case interrupted(Interrupt.Reason)
}

/// Lets the turns of one thread run one after another, in the order in which they came.
package final class TurnQueue<Thread: Hashable & Sendable>: @unchecked Sendable {
  /// A turn's place in the line of its thread.
  package final class Place: @unchecked Sendable {
    /// Nil for one that no thread waits at.
    fileprivate let condition: Condition?
    /// Called when it is this one's turn, if it had to wait.
    fileprivate let admitted: (@Sendable () -> Void)?
    fileprivate var hasTurn = false

    fileprivate init(condition: Condition? = nil, admitted: (@Sendable () -> Void)? = nil) {
      self.condition = condition
      self.admitted = admitted
    }

    fileprivate func wake() {
      condition?.signal()
      admitted?()
    }
  }

  private let lock = Lock()
  private var queues: [Thread: [Place]] = [:]

  package init() {}

  /// Runs `body` when all earlier turns of the thread have ended.
  package func inTurn<Value, Failure: Error>(
    of thread: Thread, mayWait: Bool = true, deadline: Deadline, interrupt: Interrupt,
    _ body: (Admission) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let condition = Condition()
    let place = Place(condition: condition)
    guard enter(thread, place, mayWait: mayWait) != nil else { return try body(.refused) }
    defer { leave(thread, place) }
    return try body(wait(place, condition, deadline, interrupt))
  }

  /// Takes a place in the line of a thread without waiting. Nil when others are before it and it may not wait. Whether it
  /// is its turn already is said at once; otherwise `admitted` is called when it is, under a lock: it must be brief, and
  /// must not come back here. `leave` must follow.
  package func enter(
    _ thread: Thread, mayWait: Bool, admitted: @escaping @Sendable () -> Void
  ) -> (place: Place, hasTurn: Bool)? {
    let place = Place(admitted: admitted)
    return enter(thread, place, mayWait: mayWait).map { (place, $0) }
  }

  private func enter(_ thread: Thread, _ place: Place, mayWait: Bool = true) -> Bool? {
    lock.withLock {
      let isFirst = queues[thread] == nil
      guard isFirst || mayWait else { return nil }
      place.hasTurn = isFirst
      queues[thread, default: []].append(place)
      return isFirst
    }
  }

  private func wait(
    _ place: Place, _ condition: Condition, _ deadline: Deadline, _ interrupt: Interrupt
  ) -> Admission {
    // The interrupt's lock is always taken before ours, here as in its waker.
    interrupt.whileWaking({ [lock] in lock.withLock { condition.signal() } }) {
      while true {
        if let reason = interrupt.reason { return .interrupted(reason) }
        lock.lock()
        defer { lock.unlock() }
        if place.hasTurn { return .admitted }
        // The interrupt is looked at again every 50 ms, should it fire between the look above and the wait.
        _ = condition.wait(lock, until: deadline.earlier(.after(milliseconds: 50)))
        if place.hasTurn { return .admitted }
        if deadline.hasPassed { return .timedOut }
      }
    }
  }

  /// Gives a place up; the next in line, if this one had its turn, has it now.
  package func leave(_ thread: Thread, _ place: Place) {
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
        first.wake()
      }
    }
  }
}
