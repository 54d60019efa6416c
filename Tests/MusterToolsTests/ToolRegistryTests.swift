import Foundation
import MusterJSON
import MusterSystem
import Testing

@testable import MusterTools

@Suite("The registry of tools")
struct ToolRegistryTests {
  private let registry = ToolRegistry(threads: 64, log: .none)

  private func spec(_ name: String, _ more: String = "") throws -> ToolSpec {
    try ToolSpec(try JSON.parse(Array(#"{"name":"\#(name)"\#(more)}"#.utf8)))
  }

  private func invocation(
    _ name: String, _ id: String = "c1", task: String = "t", isRepeat: Bool = false
  ) -> ToolInvocation {
    ToolInvocation(
      callID: id, name: name, arguments: .literal(#"{"n":1}"#), organizationID: "o", agentID: "a", taskID: task,
      isRepeat: isRepeat)
  }

  @Test("The host is told of a call in full, and its answer is the result")
  func answered() throws {
    let host = HostStub { [registry] id in try? registry.reply(id, .literal("[1,2]"), isError: false) }
    let results = Results()
    try registry.register(try spec("add"), host)
    _ = try registry.start(invocation("add"), onCaller: false, listener: results)
    let result = try #require(results.first())
    #expect(result.content.bytes.elementsEqual("[1,2]".utf8) && !result.isError)
    #expect(
      host.texts == [
        #"{"call_id":"c1","idempotency_key":"c1","name":"add","arguments":{"n":1},"organization_id":"o","#
          + #""agent_id":"a","task_id":"t","repeat":false,"probe":false}"#
      ])
    registry.close()
    #expect(host.cancels.isEmpty)
    #expect(host.timesReleased == 1)
    #expect(results.count == 1)
  }

  @Test("The answer may come after the callback, from another thread, and only once")
  func answeredLater() throws {
    let host = HostStub()
    let results = Results()
    try registry.register(try spec("add"), host)
    _ = try registry.start(invocation("add"), onCaller: false, listener: results)
    #expect(host.waits { $0.calls == ["c1"] && $0.threadsInside == 0 })
    #expect(!registry.isCancelled("c1"))
    try registry.reply("c1", .literal("7"), isError: true)
    #expect(results.first()?.isError == true)
    #expect(registry.isCancelled("c1"))
    #expect(throws: ToolRegistryError.unknownCall) { try registry.reply("c1", .null, isError: false) }
    #expect(throws: ToolRegistryError.unknownCall) { try registry.reply("other", .null, isError: false) }
    registry.close()
    #expect(results.count == 1)
  }

  @Test("Tools are told in the order in which they came; a name is taken once, and free again")
  func names() throws {
    let (first, second) = (HostStub(), HostStub())
    for name in ["b", "a", "c"] { try registry.register(try spec(name), first) }
    #expect(throws: ToolRegistryError.nameTaken) { try registry.register(try spec("a"), second) }
    #expect(second.timesReleased == 0)
    #expect(registry.specs().map(\.name) == ["b", "a", "c"])
    try registry.unregister("a")
    #expect(first.timesReleased == 1)
    #expect(registry.spec("a") == nil && registry.spec("c")?.name == "c")
    #expect(throws: ToolRegistryError.unknownTool) { try registry.unregister("a") }
    #expect(throws: ToolRegistryError.unknownTool) { try registry.unregister("b", of: second) }
    try registry.register(try spec("a"), second)
    #expect(registry.specs().map(\.name) == ["b", "c", "a"])
    registry.close()
    #expect(first.timesReleased == 3 && second.timesReleased == 1)
  }

  @Test("A call that cannot be is refused, and its listener hears nothing")
  func refused() throws {
    let host = HostStub()
    let results = Results()
    try registry.register(try spec("add"), host)
    try registry.register(try spec("window", #","thread":"caller""#), host)
    #expect(throws: ToolUnavailable.unknown) {
      try registry.start(invocation("none"), onCaller: true, listener: results)
    }
    #expect(throws: ToolUnavailable.callerOnly) {
      try registry.start(invocation("window"), onCaller: false, listener: results)
    }
    _ = try registry.start(invocation("add"), onCaller: false, listener: results)
    #expect(throws: ToolUnavailable.underWay) {
      try registry.start(invocation("add"), onCaller: false, listener: results)
    }
    registry.close()
    #expect(throws: ToolUnavailable.closed) {
      try registry.start(invocation("add"), onCaller: false, listener: results)
    }
    #expect(throws: ToolRegistryError.closed) { try registry.register(try spec("d"), host) }
    #expect(throws: ToolRegistryError.closed) { try registry.unregister("add") }
    #expect(results.count == 0)
    #expect(host.timesReleased == 2)
  }

  // MARK: - Time

  @Test(
    "A call whose time is over ends with an error, the host is told, and its late answer is refused",
    arguments: [
      ("", "timed out after 250 ms; whether it was done is not known"),
      (#","read_only":true"#, "timed out after 250 ms"),
    ])
  func timeOut(more: String, text: String) throws {
    let host = HostStub()
    let results = Results()
    try registry.register(try spec("slow", #","timeout_ms":250"# + more), host)
    _ = try registry.start(invocation("slow"), onCaller: false, listener: results)
    #expect(results.first()?.isError == true)
    #expect(results.text == text)
    #expect(host.waits { $0.cancels == ["c1"] })
    #expect(registry.isCancelled("c1"))
    #expect(throws: ToolRegistryError.unknownCall) { try registry.reply("c1", .null, isError: false) }
    registry.close()
    #expect(results.count == 1)
  }

  @Test("Time runs out also while the host holds every thread; a call that waits for one was not begun")
  func timeOutWithoutThreads() throws {
    let registry = ToolRegistry(threads: 1, log: .none)
    let door = Door()
    let host = HostStub { _ in door.pass() }
    let (first, second, third) = (Results(), Results(), Results())
    try registry.register(try spec("slow", #","timeout_ms":300"#), host)
    _ = try registry.start(invocation("slow", "c1"), onCaller: false, listener: first)
    #expect(host.waits { $0.threadsInside == 1 })
    _ = try registry.start(invocation("slow", "c2"), onCaller: false, listener: second)
    // It may have been done when it was made before.
    _ = try registry.start(invocation("slow", "c3", isRepeat: true), onCaller: false, listener: third)
    #expect(first.text == "timed out after 300 ms; whether it was done is not known")
    #expect(second.text == "timed out after 300 ms; it was not begun")
    #expect(third.text == "timed out after 300 ms; whether it was done is not known")
    door.open()
    registry.close()
    #expect(host.calls == ["c1"] && host.cancels == ["c1"])
    #expect(first.count == 1 && second.count == 1 && third.count == 1)
  }

  @Test("A tool on the caller's thread runs inside start, on that thread, and has no time-out")
  func onCaller() throws {
    let caller = pthread_self()
    let host = HostStub { [registry] id in
      #expect(pthread_equal(pthread_self(), caller) != 0)
      try? registry.reply(id, .literal("1"), isError: false)
    }
    let results = Results()
    try registry.register(try spec("window", #","thread":"caller""#), host)
    _ = try registry.start(invocation("window"), onCaller: true, listener: results)
    #expect(results.count == 1)
    registry.close()
  }

  @Test("A call on the caller's thread can be cancelled while it is inside the host")
  func cancelOnCaller() throws {
    let host = HostStub { [registry] id in
      registry.cancel(id)
      #expect(registry.isCancelled(id))
    }
    let results = Results()
    try registry.register(try spec("window", #","thread":"caller""#), host)
    _ = try registry.start(invocation("window"), onCaller: true, listener: results)
    #expect(host.cancels == ["c1"])
    registry.close()
    #expect(results.count == 0)
  }

  // MARK: - Results

  @Test("A result beyond the tool's limit is cut off")
  func limit() throws {
    let results = Results()
    try registry.register(try spec("long", #","result_limit":256"#), HostStub())
    _ = try registry.start(invocation("long"), onCaller: false, listener: results)
    try registry.reply("c1", .string(String(repeating: "x", count: 1000)), isError: false)
    #expect(results.text?.utf8.count ?? 0 <= 256)
    #expect(results.text?.hasSuffix(" of 1000 bytes were cut off]") == true)
    registry.close()
  }

  // MARK: - Cancelling, unregistering, closing

  @Test("A cancelled call is told to the host once, and its listener hears nothing")
  func cancelled() throws {
    let host = HostStub()
    let results = Results()
    try registry.register(try spec("add"), host)
    let call = try registry.start(invocation("add"), onCaller: false, listener: results)
    #expect(host.waits { $0.calls == ["c1"] && $0.threadsInside == 0 })
    call.cancel()
    call.cancel()
    registry.cancelAll()
    #expect(host.cancels == ["c1"])
    #expect(throws: ToolRegistryError.unknownCall) { try registry.reply("c1", .null, isError: false) }
    // The id is free again.
    _ = try registry.start(invocation("add"), onCaller: false, listener: results)
    registry.close()
    #expect(results.count == 0)
  }

  @Test("A call that waits to be read is the host's from its reading on: before, it is not told of its end")
  func reading() throws {
    let host = HostStub(isQueue: true)
    let results = Results()
    try registry.register(try spec("add", #","timeout_ms":200"#), host)
    for id in ["read", "unread", "late"] {
      _ = try registry.start(invocation("add", id), onCaller: false, listener: results)
    }
    #expect(host.calls == ["read", "unread", "late"])
    #expect(registry.read("read"))
    registry.cancel("read")
    registry.cancel("unread")
    #expect(!registry.read("read") && !registry.read("unread") && !registry.read("other"))
    #expect(results.text == "timed out after 200 ms; it was not begun")
    registry.close()
    #expect(host.cancels == ["read"])
    #expect(results.count == 1)
  }

  @Test("Unregistering ends the calls that wait with an error, and waits for the host's code")
  func unregister() throws {
    let door = Door()
    let host = HostStub { _ in door.pass() }
    let (first, second) = (Results(), Results())
    try registry.register(try spec("slow"), host)
    _ = try registry.start(invocation("slow", "c1"), onCaller: false, listener: first)
    _ = try registry.start(invocation("slow", "c2"), onCaller: false, listener: second)
    #expect(host.waits { $0.threadsInside == 2 })
    let registry = registry
    let done = Door()
    let thread = Thread {
      try? registry.unregister("slow")
      #expect(host.timesReleased == 1 && host.threadsInside == 0)
      done.open()
    }
    thread.start()
    for told in [first, second] { #expect(told.text == "the tool was unregistered; whether it was done is not known") }
    #expect(host.timesReleased == 0)
    door.open()
    done.pass()
    #expect(Set(host.cancels) == ["c1", "c2"])
    registry.close()
    #expect(host.timesReleased == 1)
    #expect(first.count == 1 && second.count == 1)
  }

  @Test("Closing tells running calls, waits for the host's code, and releases each handler once")
  func close() throws {
    let registry = registry
    let host = HostStub { id in while !registry.isCancelled(id) { usleep(500) } }
    let results = Results()
    try registry.register(try spec("a"), host)
    try registry.register(try spec("b"), host)
    for number in 0..<8 {
      _ = try registry.start(
        invocation(number % 2 == 0 ? "a" : "b", "c\(number)"), onCaller: false, listener: results)
    }
    #expect(host.waits { $0.threadsInside == 8 })
    registry.close()
    #expect(host.threadsInside == 0)
    #expect(host.cancels.count == 8)
    #expect(host.timesReleased == 2)
    #expect(results.count == 0)
  }

  @Test("Unregistering from inside a call is refused: it would wait for itself")
  func unregisterInside() throws {
    let registry = registry
    let host = HostStub { id in
      #expect(throws: ToolRegistryError.wouldWaitForItself) { try registry.unregister("add") }
      try? registry.reply(id, .null, isError: false)
    }
    let results = Results()
    try registry.register(try spec("add"), host)
    _ = try registry.start(invocation("add"), onCaller: false, listener: results)
    #expect(results.first() != nil)
    registry.close()
  }

  // MARK: - Threads

  @Test("Sixty-four calls may be inside the host at once, and wait for each other")
  func threads() throws {
    let door = Door()
    let host = HostStub { [registry] id in
      door.pass()
      try? registry.reply(id, .null, isError: false)
    }
    try registry.register(try spec("slow"), host)
    let results = Results()
    for number in 0..<80 {
      _ = try registry.start(invocation("slow", "c\(number)"), onCaller: false, listener: results)
    }
    #expect(host.waits { $0.threadsInside == 64 })
    // What waits to be read needs none of them.
    let queue = HostStub(isQueue: true)
    try registry.register(try spec("queue"), queue)
    _ = try registry.start(invocation("queue", "q"), onCaller: false, listener: results)
    #expect(queue.calls == ["q"])
    door.open()
    #expect(host.waits { _ in results.count == 80 })
    #expect(host.mostThreadsInside == 64)
    registry.close()
  }

  @Test("A thread knows which tasks wait for what it does, also through what it starts; a result is outside of that")
  func served() throws {
    let registry = registry
    let (inner, outer) = (Results { #expect(!ToolThread.isInCall) }, Results { #expect(!ToolThread.isInCall) })
    let second = HostStub { id in
      #expect(ToolThread.serves("o", "t1") && ToolThread.serves("o", "t2"))
      #expect(!ToolThread.serves("o", "t3") && !ToolThread.serves("p", "t1"))
      try? registry.reply(id, .null, isError: false)
    }
    let first = HostStub { id in
      #expect(ToolThread.serves("o", "t1") && !ToolThread.serves("o", "t2"))
      let other = ToolInvocation(
        callID: "c2", name: "second", arguments: .null, organizationID: "o", agentID: "a", taskID: "t2")
      _ = try? registry.start(other, onCaller: false, listener: inner)
      #expect(inner.first() != nil)
      try? registry.reply(id, .null, isError: false)
      #expect(ToolThread.serves("o", "t1"))
    }
    try registry.register(try spec("first"), first)
    try registry.register(try spec("second"), second)
    #expect(!ToolThread.isInCall)
    _ = try registry.start(invocation("first", "c1", task: "t1"), onCaller: false, listener: outer)
    #expect(outer.first() != nil)
    registry.close()
    #expect(second.calls == ["c2"])
  }

  @Test("However answers, cancels, time-outs and unregistering meet: at most one result, and one release")
  func storm() throws {
    let registry = registry
    let hosts = (0..<4).map { number in
      HostStub(isQueue: number == 3) { id in
        if number == 1 { usleep(UInt32.random(in: 0..<400)) }
        if number != 2 { try? registry.reply(id, .literal("1"), isError: false) }
      }
    }
    var counted: [Results] = []
    for round in 0..<50 {
      for number in 0..<4 {
        try registry.register(try spec("tool\(number)", #","timeout_ms":\#(number == 1 ? 1 : 5)"#), hosts[number])
      }
      for index in 0..<40 {
        let results = Results()
        counted.append(results)
        let id = "r\(round)-\(index)"
        let call = try registry.start(invocation("tool\(index % 4)", id), onCaller: false, listener: results)
        if index % 5 == 0 { call.cancel() }
      }
      for number in 0..<4 { try registry.unregister("tool\(number)") }
      for (number, host) in hosts.enumerated() {
        #expect(host.timesReleased == round + 1 && host.threadsInside == 0, "tool\(number)")
      }
    }
    registry.close()
    for (index, results) in counted.enumerated() {
      // A cancelled one may have been answered before.
      #expect(results.count <= 1 && (index % 40 % 5 == 0 || results.count == 1))
    }
  }
}
