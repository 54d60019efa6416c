import MusterSystem

/// Counts the calls that are inside a plane, so that closing it can wait for them.
final class Gate: @unchecked Sendable {
  private let lock = Lock()
  private let left = Condition()
  private var isUnlocked = true
  private var inside = 0
  /// The calls that can be interrupted, by a number of their own.
  private var interrupts: [Int: Interrupt] = [:]
  private var lastNumber = 0

  /// Whether calls are let in.
  var isOpen: Bool { lock.withLock { isUnlocked } }

  /// Runs a call; `nil` when the gate is closed.
  func pass<Value>(
    _ interrupt: Interrupt, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    let number = lock.withLock { () -> Int? in
      guard isUnlocked else { return nil }
      inside += 1
      lastNumber &+= 1
      interrupts[lastNumber] = interrupt
      return lastNumber
    }
    guard let number else { return nil }
    defer {
      lock.withLock {
        inside -= 1
        interrupts[number] = nil
        if inside == 0 { left.broadcast() }
      }
    }
    return try body()
  }

  /// Lets nobody in any more, and interrupts those who are inside. False when it was closed before.
  func shut() -> Bool {
    let running = lock.withLock { () -> [Interrupt]? in
      guard isUnlocked else { return nil }
      isUnlocked = false
      return interrupts.map { $0.value }
    }
    guard let running else { return false }
    for interrupt in running { interrupt.fire(.closing) }
    return true
  }

  /// Waits until those who were inside have left.
  func wait() {
    lock.lock()
    while inside > 0 { _ = left.wait(lock) }
    lock.unlock()
  }

  /// Both.
  func close() -> Bool {
    guard shut() else { return false }
    wait()
    return true
  }
}
