import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("Interrupts")
struct HTTPInterruptTests {
  private func interrupted(
    _ request: HTTPRequest, _ client: HTTPClient = HTTPClient(), after delay: UInt32 = 150,
    reason: Interrupt.Reason = .stopped
  ) -> (error: HTTPError?, milliseconds: Double) {
    let interrupt = Interrupt()
    let fired = Mutex(Date.distantFuture)
    after(milliseconds: delay) {
      fired.value = Date()
      interrupt.fire(reason)
    }
    let error = client.failure(of: request, interrupt: interrupt)
    return (error, Date().timeIntervalSince(fired.value) * 1000)
  }

  @Test("a request that waits for its answer ends at once, and the host sees the connection close")
  func whileWaiting() throws {
    let server = try ModelServer()
    let result = interrupted(ask(server.base, "hang"))
    #expect(result.error == .interrupted(.stopped))
    #expect(result.milliseconds < 500)
    #expect(descriptors(connectedTo: server.port).isEmpty)
    let seen = try server.observed { $0.disconnects.count == 1 }
    #expect(seen.disconnects.map(\.model) == ["hang"])
  }

  @Test("a request whose answer is under way ends at once", arguments: ["drip:20", "endless"])
  func whileReceiving(model: String) throws {
    let server = try ModelServer()
    let result = interrupted(ask(server.base, model, maximumResponseBytes: .max), after: 60)
    #expect(result.error == .interrupted(.stopped))
    #expect(result.milliseconds < 500)
  }

  @Test("a request that is still connecting ends at once")
  func whileConnecting() {
    let listener = Listener(backlog: 0)
    listener.fill()
    let result = interrupted(ask("http://127.0.0.1:\(listener.port)/v1", "fixed"))
    #expect(result.error == .interrupted(.stopped))
    #expect(result.milliseconds < 500)
  }

  @Test("a request in the middle of the TLS handshake ends at once")
  func whileShakingHands() {
    let listener = Listener(backlog: 8)
    let result = interrupted(ask("https://127.0.0.1:\(listener.port)/v1", "fixed"))
    #expect(result.error == .interrupted(.stopped))
    #expect(result.milliseconds < 500)
    #expect(descriptors(connectedTo: listener.port).isEmpty)
  }

  @Test(
    "an interrupt before the call lets nothing be sent", arguments: [Interrupt.Reason.cancelled, .stopped, .closing])
  func before(reason: Interrupt.Reason) throws {
    let server = try ModelServer()
    let interrupt = Interrupt()
    interrupt.fire(reason)
    let client = HTTPClient()
    #expect(throws: HTTPError.interrupted(reason)) { try client.send(ask(server.base, "fixed"), interrupt: interrupt) }
    #expect(descriptors(connectedTo: server.port).isEmpty)
    #expect(try server.observed().connections == 0)
  }

  @Test("an interrupt after the answer is harmless, and the client goes on to work")
  func afterwards() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let interrupt = Interrupt()
    _ = try client.send(ask(server.base, "fixed"), interrupt: interrupt)
    interrupt.fire(.stopped)
    #expect(try client.send(ask(server.base, "fixed")).status == 200)
    #expect(interrupted(ask(server.base, "hang"), client).error == .interrupted(.stopped))
    #expect(try client.send(ask(server.base, "fixed")).status == 200)
  }

  @Test("whenever it comes, there is an answer or an interrupted request, and the next one works")
  func anyMoment() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    var answers = 0
    var interrupts = 0
    for turn in 0..<300 {
      let interrupt = Interrupt()
      Thread.detachNewThread {
        usleep(UInt32(turn % 30) * 200)
        interrupt.fire(.cancelled)
      }
      if let error = client.failure(of: ask(server.base, "slow:2"), interrupt: interrupt) {
        #expect(error == .interrupted(.cancelled))
        interrupts += 1
      } else {
        answers += 1
      }
    }
    #expect(answers > 0)
    #expect(interrupts > 0)
    #expect(try client.send(ask(server.base, "fixed")).status == 200)
  }

  @Test("64 requests that hang end together")
  func together() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let interrupts = (0..<64).map { _ in Interrupt() }
    let ended = Shared(0)
    after(milliseconds: 700) { for interrupt in interrupts { interrupt.fire(.closing) } }
    let time = milliseconds {
      inParallel(64) { thread in
        let error = client.failure(of: ask(server.base, "hang"), interrupt: interrupts[thread])
        if error == .interrupted(.closing) { ended.change { $0 += 1 } }
      }
    }
    #expect(ended.value == 64)
    #expect(time < 3_000)
    #expect(descriptors(connectedTo: server.port).isEmpty)
  }
}

/// A value that threads share.
private final class Mutex<Value: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private var stored: Value
  init(_ value: Value) { stored = value }
  var value: Value {
    get { lock.withLock { stored } }
    set { lock.withLock { stored = newValue } }
  }
}
