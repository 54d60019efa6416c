import Foundation
import MusterSystem
import TestSupport
import Testing

@Suite("Lock and Condition")
struct LockTests {
  private final class Counter: @unchecked Sendable { var value = 0 }

  @Test("No increment under the lock is lost")
  func exclusion() {
    let lock = Lock()
    let counter = Counter()
    inParallel(16) { _ in for _ in 0..<5000 { lock.withLock { counter.value += 1 } } }
    #expect(counter.value == 80_000)
  }

  @Test("The lock is free again after a body that threw")
  func throwing() {
    struct Failure: Error {}
    let lock = Lock()
    #expect(throws: Failure.self) { try lock.withLock { throw Failure() } }
    // It would wait for ever if the lock were still held.
    #expect(lock.withLock { true })
  }

  @Test("A wait ends at its deadline with false, and not before")
  func timeOut() {
    let lock = Lock()
    let begin = Date()
    let signalled = lock.withLock { Condition().wait(lock, until: .after(milliseconds: 50)) }
    #expect(!signalled)
    let spent = Date().timeIntervalSince(begin)
    #expect(spent >= 0.049 && spent < 10)
  }

  @Test("A deadline before the clock's zero is passed, not without limit")
  func negative() {
    let lock = Lock()
    #expect(!lock.withLock { Condition().wait(lock, until: Deadline(nanoseconds: -1)) })
  }

  @Test("A broadcast wakes all that wait, a signal one")
  func waking() {
    let lock = Lock()
    let condition = Condition()
    let counter = Counter()
    let woken = Shared(0)
    inParallel(9) { number in
      if number == 8 {
        // Until all others wait.
        while lock.withLock({ counter.value }) < 8 { usleep(100) }
        lock.withLock {
          counter.value = 100
          condition.broadcast()
        }
        return
      }
      lock.withLock {
        counter.value += 1
        while counter.value < 100 {
          guard condition.wait(lock, until: .after(milliseconds: 10_000)) else { return }
        }
        woken.change { $0 += 1 }
      }
    }
    #expect(woken.value == 8)
  }
}
