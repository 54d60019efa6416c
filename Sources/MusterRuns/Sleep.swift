import MusterSystem

/// Waits that an interrupt ends.
enum Sleep {
  /// Sleeps until the deadline. True when the interrupt ended it, or had fired before.
  static func sleep(until deadline: Deadline, interrupt: Interrupt) -> Bool {
    let lock = Lock()
    let condition = Condition()
    return interrupt.whileWaking({ lock.withLock { condition.signal() } }) {
      while true {
        if interrupt.reason != nil { return true }
        if deadline.hasPassed { return false }
        lock.lock()
        // Looked at again every 50 ms, should the interrupt fire between the look above and the wait.
        _ = condition.wait(lock, until: deadline.earlier(.after(milliseconds: 50)))
        lock.unlock()
      }
    }
  }
}
