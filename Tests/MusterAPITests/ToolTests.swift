import Foundation
import MusterJSON
import MusterRuns
import MusterSystem
import MusterTools
import TestSupport
import Testing

@testable import MusterAPI

/// Gathers the results of calls.
private final class Results: ToolListener, @unchecked Sendable {
  private let lock = NSLock()
  private var results: [ToolResult] = []

  func returned(_ result: ToolResult) { lock.withLock { results.append(result) } }
  var all: [ToolResult] { lock.withLock { results } }
}

/// A tool of the host.
private final class Tool: ToolHandler, @unchecked Sendable {
  private let body: @Sendable (String) -> Void
  private let lock = NSLock()
  private var count = 0

  init(_ body: @escaping @Sendable (String) -> Void) { self.body = body }

  func call(_ callID: String, _ json: [UInt8]) { body(callID) }
  func cancel(_ callID: String) {}
  func release() { lock.withLock { count += 1 } }
  var timesReleased: Int { lock.withLock { count } }
}

extension Bench {
  fileprivate func spec(_ name: String, _ more: String = "") throws -> ToolSpec {
    try ToolSpec(try json(#"{"name":"\#(name)"\#(more)}"#))
  }

  @discardableResult
  fileprivate func start(
    _ name: String, _ id: String, task: String = "t", _ listener: any ToolListener
  ) throws -> ToolCall {
    try plane.tools.start(
      ToolInvocation(
        callID: id, name: name, arguments: .literal("{}"), organizationID: plane.host.organizationID, agentID: "a",
        taskID: task), onCaller: false, listener: listener)
  }
}

extension EventQueue {
  /// What waits: `call ID` and `cancel ID` of tools, `data` and `final` of calls.
  fileprivate func read(_ most: Int = 1000, milliseconds: Int64 = 0) throws -> [String] {
    var words: [String] = []
    while words.count < most, case .came(let event) = next(until: .after(milliseconds: milliseconds)) {
      switch event.item {
      case .data: words.append("data")
      case .final: words.append("final")
      case .tool(let text, let isCancel):
        #expect(event.ticket == 0)
        let id = JSON.trusted(text)["call_id"]?.string ?? ""
        words.append("\(isCancel ? "cancel" : "call") \(id)")
      }
    }
    return words
  }
}

@Suite("Tools whose calls come through a queue")
struct QueueToolTests {
  private let bench: Bench
  private let queue: EventQueue
  private let results = Results()

  init() throws {
    bench = try Bench()
    queue = EventQueue(plane: bench.plane)
  }

  @Test("a call is an event, and its answer is its result")
  func answered() throws {
    try queue.register(try bench.spec("add"))
    try bench.start("add", "c1", results)
    #expect(try queue.read() == ["call c1"])
    try bench.plane.answerTool("c1", .literal("7"), isError: false)
    #expect(results.all.count == 1)
    #expect(try queue.read().isEmpty)
    queue.close()
  }

  @Test("a call that is cancelled before it is read is not given; one that was read is followed by its cancel")
  func cancelled() throws {
    try queue.register(try bench.spec("add"))
    let first = try bench.start("add", "c1", results)
    let second = try bench.start("add", "c2", results)
    try bench.start("add", "c3", results)
    #expect(try queue.read(1) == ["call c1"])
    second.cancel()
    first.cancel()
    #expect(try queue.read() == ["call c3", "cancel c1"])
    queue.close()
  }

  @Test("a tool's time-out is told like a cancel")
  func timedOut() throws {
    try queue.register(try bench.spec("slow", #","timeout_ms":200"#))
    try bench.start("slow", "c1", results)
    #expect(try queue.read(1) == ["call c1"])
    #expect(try queue.read(1, milliseconds: 10_000) == ["cancel c1"])
    try awaitTrue("the result is there") { results.all.first?.isError == true }
    queue.close()
  }

  @Test("tools and submitted calls take turns")
  func fair() throws {
    try queue.register(try bench.spec("a"))
    try queue.register(try bench.spec("b"))
    for number in 0..<3 {
      try bench.start("a", "a\(number)", results)
      try bench.start("b", "b\(number)", results)
    }
    _ = try queue.submit("agents.list", Arguments(), userData: 0)
    var words: [String] = []
    while words.count < 7 { words += try queue.read(1, milliseconds: 10_000) }
    #expect(words.filter { $0 != "final" } == ["call a0", "call b0", "call a1", "call b1", "call a2", "call b2"])
    #expect(words.contains("final"))
    queue.close()
  }

  @Test("events of tools are drained as JSON with their kind")
  func drained() throws {
    try queue.register(try bench.spec("add"))
    let call = try bench.start("add", "c1", results)
    guard case .came(let first) = queue.drain(until: .after(milliseconds: 0), maximum: 1000) else { throw Unexpected() }
    call.cancel()
    guard case .came(let second) = queue.drain(until: .after(milliseconds: 0), maximum: 1000) else {
      throw Unexpected()
    }
    #expect(try json(String(decoding: first, as: UTF8.self)).at("/0/json/name")?.string == "add")
    #expect(String(decoding: first, as: UTF8.self).hasPrefix(#"[{"ticket":0,"kind":"tool_call","sequence":0,"json":{"#))
    #expect(
      String(decoding: second, as: UTF8.self)
        == #"[{"ticket":0,"kind":"tool_cancel","sequence":0,"json":{"call_id":"c1"}}]"#)
    queue.close()
  }

  @Test("closing the queue unregisters its tools: their calls end with an error")
  func closed() throws {
    try queue.register(try bench.spec("a"))
    try queue.register(try bench.spec("b"))
    try bench.start("a", "c1", results)
    try bench.start("b", "c2", results)
    queue.close()
    #expect(
      results.all.map { $0.content.string } == Array(repeating: "the tool was unregistered; it was not begun", count: 2)
    )
    #expect(bench.plane.tools.specs().isEmpty)
    let failure = #expect(throws: Failure.self) { try queue.register(try bench.spec("c")) }
    #expect(failure?.status == .badHandle)
    #expect(bench.plane.tools.specs().isEmpty)
  }

  @Test("a tool that was unregistered is not unregistered again with its queue, whoever has its name now")
  func replaced() throws {
    try queue.register(try bench.spec("add"))
    try bench.plane.unregisterTool("add")
    let other = Tool { _ in }
    try bench.plane.registerTool(try bench.spec("add"), other)
    queue.close()
    #expect(bench.plane.tools.spec("add") != nil && other.timesReleased == 0)
  }

  @Test("what the plane's end cancels can still be read, and nothing holds the queue afterwards")
  func planeClosed() throws {
    weak var left: EventQueue?
    do {
      let bench = try Bench()
      let queue = EventQueue(plane: bench.plane)
      left = queue
      try queue.register(try bench.spec("add"))
      try bench.start("add", "c1", results)
      #expect(try queue.read() == ["call c1"])
      bench.plane.close()
      #expect(try queue.read() == ["cancel c1"])
    }
    #expect(left == nil)
  }

  @Test("a queue that is closed with a cancel unread is let go of")
  func unreadCancel() throws {
    weak var left: EventQueue?
    do {
      let queue = EventQueue(plane: bench.plane)
      left = queue
      try queue.register(try bench.spec("add"))
      try bench.start("add", "c1", results)
      #expect(try queue.read() == ["call c1"])
      try bench.plane.unregisterTool("add")
      queue.close()
    }
    #expect(left == nil)
  }

  @Test("a tool that is refused holds nothing")
  func refused() throws {
    weak var left: EventQueue?
    do {
      let queue = EventQueue(plane: bench.plane)
      left = queue
      try queue.register(try bench.spec("add"))
      #expect(throws: Failure.self) { try queue.register(try bench.spec("add")) }
      queue.close()
    }
    #expect(left == nil)
  }

  @Test("calls that are over before they are read are not given, however many")
  func bounded() throws {
    try queue.register(try bench.spec("add"))
    for round in 0..<20_000 { try bench.start("add", "c\(round)", results).cancel() }
    try bench.start("add", "last", results)
    #expect(try queue.read() == ["call last"])
    queue.close()
  }

  @Test("a tool on the caller's thread cannot come through a queue")
  func onCaller() throws {
    let failure = #expect(throws: Failure.self) { try queue.register(try bench.spec("w", #","thread":"caller""#)) }
    #expect(failure?.status == .misuse)
    queue.close()
  }
}

@Suite("Tools that call their plane")
struct ReentrantToolTests {
  private let bench: Bench
  private let results = Results()

  init() throws { bench = try Bench() }

  /// What comes of `body` on the thread of a tool that a task waits for.
  private func inTool<Value: Sendable>(task: String = "t", _ body: @escaping @Sendable () throws -> Value) throws
    -> Value
  {
    let outcome = Shared<Result<Value, any Error>?>(nil)
    let plane = bench.plane
    let tool = Tool { id in
      let result = Result { try body() }
      outcome.change { $0 = result }
      try? plane.answerTool(id, .null, isError: false)
    }
    try plane.registerTool(try bench.spec("inside"), tool)
    try bench.start("inside", UUID().uuidString, task: task, results)
    try awaitTrue("the tool has returned") { outcome.value != nil }
    try plane.unregisterTool("inside")
    return try #require(outcome.value).get()
  }

  @Test("a tool may call any operation, also one that runs another task to its end")
  func blocking() throws {
    let bench = bench
    let agent = try bench.agent()
    let status = try inTool { try bench.invoke(agent, #"{"id":"other"}"#)["status"]?.string }
    #expect(status == "completed")
  }

  @Test(
    "a call that waits for a turn of the task that waits for the tool is refused",
    arguments: ["agents.invoke", "agents.invoke_async", "agents.invoke_stream", "tasks.events"])
  func refused(name: String) throws {
    let bench = bench
    let agent = try bench.agent()
    let arguments = try bench.invocation(agent, #"{"id":"t"}"#, #"{"task_id":"t"}"#)
    let failure = try inTool { try bench.failure(name, arguments) }
    #expect(failure.status == .wouldDeadlock)
    #expect(failure.httpStatus == 409)
    // Without a wait it is not: nor is it from elsewhere.
    if name != "tasks.events" {
      let queue = EventQueue(plane: bench.plane)
      _ = try inTool { try queue.submit(name, try Arguments(try json(arguments)), userData: 0) }
      _ = try bench.invoke(agent, #"{"id":"t"}"#)
      queue.close()
    }
  }

  @Test("unregistering from a tool is refused")
  func unregister() throws {
    let plane = bench.plane
    let failure = try inTool { () -> Failure? in
      do throws(Failure) { try plane.unregisterTool("inside") } catch { return error }
      return nil
    }
    #expect(failure?.status == .wouldDeadlock)
  }

  @Test("closing the plane ends a tool that waits for a run of it, through a queue or in a call")
  func close() throws {
    let plane = bench.plane
    let queue = EventQueue(plane: plane)
    let agent = try bench.agent("hang")
    let arguments = try bench.invocation(agent)
    let began = Lines()
    let waiting = Tool { _ in
      began.add("queue")
      _ = try? queue.submit("agents.invoke", try Arguments(try json(arguments)), userData: 0)
      while case .came(let event) = queue.next(until: .never) {
        if case .final(_, _, let failure) = event.item {
          began.add("\(failure?.status.name ?? "none")")
          return
        }
      }
    }
    let calling = Tool { _ in
      began.add("call")
      do {
        _ = try plane.call("agents.invoke", try Arguments(try json(arguments)), timeoutMilliseconds: -1)
      } catch {
        began.add("\((error as? Failure)?.status.name ?? "none")")
      }
    }
    try plane.registerTool(try bench.spec("waiting"), waiting)
    try plane.registerTool(try bench.spec("calling"), calling)
    try bench.start("waiting", "c1", results)
    try bench.start("calling", "c2", results)
    try awaitTrue("both have begun") { began.all.count == 2 && plane.runs.counts.values.begun == 2 }
    let closing = Later { plane.close() }
    try closing.value()
    #expect(began.all.filter { $0 == "CLOSED" }.count == 2)
    #expect(waiting.timesReleased == 1 && calling.timesReleased == 1)
    #expect(results.all.isEmpty)
  }

  @Test("a closed plane takes no tools and no answers")
  func closed() throws {
    let plane = bench.plane
    plane.close()
    let spec = try bench.spec("late")
    #expect(throws: Failure.self) { try plane.registerTool(spec, Tool { _ in }) }
    #expect(throws: Failure.self) { try plane.unregisterTool("late") }
    #expect(throws: Failure.self) { try plane.answerTool("c", .null, isError: false) }
  }
}
