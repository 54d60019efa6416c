import Foundation
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Tickets")
struct TicketTests {
  @Test("tickets count up from one, and each is used once")
  func once() {
    let tickets = Tickets()
    #expect(tickets.make() == 1)
    #expect(tickets.make() == 2)
    #expect(tickets.use(2) != nil)
    #expect(tickets.use(2) == nil)
    tickets.retire(2)
    #expect(tickets.use(2) == nil)
    #expect(tickets.use(0) == nil)
    #expect(tickets.use(99) == nil)
    #expect(tickets.use(1) != nil)
  }

  @Test("a cancellation is kept for a call that comes later; for other numbers it does nothing")
  func sticky() {
    let tickets = Tickets()
    let ticket = tickets.make()
    tickets.cancel(ticket)
    tickets.cancel(0)
    tickets.cancel(.max)
    #expect(tickets.use(ticket)?.reason == .cancelled)
    tickets.retire(ticket)
    tickets.cancel(ticket)
    let running = tickets.make()
    let interrupt = tickets.use(running)
    #expect(interrupt?.reason == nil)
    tickets.cancel(running)
    #expect(interrupt?.reason == .cancelled)
  }

  @Test("a million tickets may wait unused; then there is none until one is used")
  func limit() {
    let tickets = Tickets()
    for _ in 0..<(1 << 20) - 1 { _ = tickets.make() }
    let last = tickets.make()
    #expect(last == 1 << 20)
    #expect(tickets.make() == 0)
    _ = tickets.use(last)
    #expect(tickets.make() != 0)
  }

  @Test("a ticket cancels its call before and during it, and is spent with it")
  func calls() throws {
    let bench = try Bench()
    let early = bench.plane.makeTicket()
    bench.plane.cancel(early)
    let refused = try bench.failure("agents.list", #"{"context":{"ticket":\#(early)}}"#)
    #expect(refused.status == .cancelled)
    #expect(try bench.failure("agents.list", #"{"context":{"ticket":\#(early)}}"#).status == .misuse)

    let agent = try bench.agent("hang")
    let ticket = bench.plane.makeTicket()
    let run = Later { try bench.invoke(agent, #"{"id":"t"}"#, arguments: #"{"context":{"ticket":\#(ticket)}}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"t"}"#)) != nil }
    bench.plane.cancel(ticket)
    let failure = try #require(try run.failure())
    #expect(failure.status == .cancelled)
    #expect(text(failure.document) == #"{"detail":{"message":"the call was cancelled","task_id":"t"}}"#)
    let task = try bench.call("tasks.get", #"{"task_id":"t"}"#)
    #expect(task["status"]?.string == "stopped")
    #expect(task["is_manually_stopped"]?.bool == true)
    #expect(task["internal_status"]?.string == "cancelled")
  }

  @Test("closing a plane ends its calls with CLOSED, and later ones too")
  func close() throws {
    let path = try StorePath()
    let bench = try Bench(path.path)
    let agent = try bench.agent("hang")
    let run = Later { try bench.invoke(agent, #"{"id":"t"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"t"}"#)) != nil }
    bench.plane.close()
    #expect(try run.failure()?.status == .closed)
    #expect(try bench.failure("agents.list").status == .closed)
    let again = try Bench(path.path)
    let task = try again.call("tasks.get", #"{"task_id":"t"}"#)
    #expect(task["status"]?.string == "error")
    #expect(task["internal_status"]?.string == "interrupted")
  }
}
