import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Calls inside a plane")
struct GateTests {
  @Test("a closed gate lets nobody in, and closes once")
  func closed() throws {
    let gate = Gate()
    #expect(try gate.pass(Interrupt()) { 5 } == 5)
    #expect(gate.close())
    #expect(try gate.pass(Interrupt()) { 5 } == nil)
    #expect(!gate.close())
  }

  @Test("closing interrupts who is inside and waits until they have left")
  func waits() throws {
    let gate = Gate()
    let interrupt = Interrupt()
    let isInside = DispatchSemaphore(value: 0)
    let mayLeave = DispatchSemaphore(value: 0)
    let caller = Later {
      try gate.pass(interrupt) { () throws(Failure) -> Int in
        isInside.signal()
        mayLeave.wait()
        return 1
      }
    }
    isInside.wait()
    let closing = Later { gate.close() }
    try awaitTrue("the caller is interrupted") { interrupt.reason == .closing }
    Thread.sleep(forTimeInterval: 0.05)
    #expect(!closing.isDone)
    mayLeave.signal()
    #expect(try closing.value())
    #expect(try caller.value() == 1)
  }

  @Test("many callers and a close: every call either runs to its end before the close returns, or not at all")
  func race() throws {
    for _ in 0..<50 {
      let gate = Gate()
      let inside = Lines()
      let callers = (0..<8).map { _ in
        Later {
          for _ in 0..<50 {
            _ = try gate.pass(Interrupt()) { () throws(Failure) in
              inside.add("in")
              inside.add("out")
            }
          }
        }
      }
      _ = gate.close()
      let count = inside.all.count
      #expect(count % 2 == 0)
      for caller in callers { try caller.value() }
      #expect(inside.all.count == count)
    }
  }

  @Test("a call that throws leaves the gate too")
  func throwing() {
    let gate = Gate()
    #expect(throws: Failure.self) { try gate.pass(Interrupt()) { () throws(Failure) in throw Failure(.busy, "x") } }
    #expect(gate.close())
  }
}
