import Foundation
import MusterSystem
import TestSupport
import Testing

@Suite("Interrupt")
struct InterruptTests {
  @Test("It stays fired, and the first reason stays")
  func sticky() {
    let interrupt = Interrupt()
    #expect(interrupt.reason == nil)
    interrupt.fire(.stopped)
    interrupt.fire(.cancelled)
    interrupt.fire(.closing)
    #expect(interrupt.reason == .stopped)
  }

  @Test("The waker is called when it fires while the body runs")
  func firedDuring() {
    let interrupt = Interrupt()
    let calls = Shared(0)
    interrupt.whileWaking({ calls.change { $0 += 1 } }) {
      #expect(calls.value == 0)
      interrupt.fire(.cancelled)
      #expect(calls.value == 1)
    }
  }

  @Test("The waker is called before the body when it has fired already")
  func firedBefore() {
    let interrupt = Interrupt()
    interrupt.fire(.cancelled)
    let calls = Shared(0)
    interrupt.whileWaking({ calls.change { $0 += 1 } }) { #expect(calls.value == 1) }
  }

  @Test("The waker is not called after the body, also when the body threw")
  func firedAfter() {
    struct Failure: Error {}
    let interrupt = Interrupt()
    let calls = Shared(0)
    let waker = { calls.change { $0 += 1 } }
    #expect(interrupt.whileWaking(waker) { 7 } == 7)
    #expect(throws: Failure.self) { try interrupt.whileWaking(waker) { throw Failure() } }
    interrupt.fire(.cancelled)
    #expect(calls.value == 0)
  }

  @Test("An inner waker stands in for the outer one, which hears of it afterwards")
  func nested() {
    let interrupt = Interrupt()
    let outer = Shared(0)
    let inner = Shared(0)
    interrupt.whileWaking({ outer.change { $0 += 1 } }) {
      interrupt.whileWaking({ inner.change { $0 += 1 } }) {
        interrupt.fire(.cancelled)
        #expect(inner.value == 1)
        #expect(outer.value == 0)
      }
      #expect(outer.value == 1)
    }
    interrupt.fire(.cancelled)
    #expect(outer.value == 1)
    #expect(inner.value == 1)
  }

  @Test("However firing and waiting meet, the waiting thread wakes")
  func race() {
    for _ in 0..<500 {
      let interrupt = Interrupt()
      let lock = Lock()
      let condition = Condition()
      let isWoken = Shared(false)
      let timedOut = Shared(false)
      inParallel(2) { number in
        if number == 0 { return interrupt.fire(.cancelled) }
        interrupt.whileWaking({
          lock.withLock {
            isWoken.change { $0 = true }
            condition.signal()
          }
        }) {
          lock.withLock {
            while !isWoken.value {
              if !condition.wait(lock, until: .after(milliseconds: 10_000)) {
                timedOut.change { $0 = true }
                return
              }
            }
          }
        }
      }
      #expect(!timedOut.value)
    }
  }
}
