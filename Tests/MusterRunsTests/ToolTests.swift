import Foundation
import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import MusterTools
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Runs with tools")
struct ToolTests {
  private static let one = #"{"tools":["add"]}"#
  private static let call: ScriptedModel.Step = .calls([("add", #"{"n":1}"#)])

  /// Runs a turn on the caller's thread, or as one that nobody waits for.
  private func run(_ bench: Bench, isFlight: Bool, request: String = "{}", milliseconds: Int64 = 20_000) throws
    -> TaskSnapshot
  {
    if !isFlight { return try bench.invoke("go", request: request, milliseconds: milliseconds) }
    let ear = try bench.launch("go", request: request, milliseconds: milliseconds)
    guard case .task(let snapshot, _)? = ear.end() else { throw RunError.unreadable("no task") }
    return snapshot
  }

  @Test("the model's call reaches the tool, and its result the model", arguments: [false, true])
  func simple(isFlight: Bool) throws {
    let bench = try Bench([Self.call, .answer("It is 2.")], agent: Self.one)
    let tool = try bench.tool("add") { _, _, arguments in "{\"sum\":\((arguments["n"]?.int64 ?? 0) + 1)}" }
    let snapshot = try run(bench, isFlight: isFlight)
    #expect(snapshot.task.status == .completed)
    #expect(snapshot.text == "It is 2.")
    #expect(bench.messages(1) == ["user: go", #"calls: ["c0 add {\"n\":1}"]"#, #"c0: {"sum":2}"#])
    #expect(bench.model.requests.first?.tools.map { $0.name } == ["add"])
    let call = try #require(tool.calls.first)
    #expect(call["call_id"]?.string == call["idempotency_key"]?.string)
    #expect(call["task_id"]?.string == "t1")
    #expect(call["agent_id"]?.string == Bench.agentID)
    #expect(tool.calls.count == 1)
    #expect(try bench.journalProblem() == nil)
  }

  @Test(
    "calls run at once, at most eight of them or as many as the plane says, and their results come in the order of the calls",
    arguments: [false, true], [1, 3, 8])
  func parallel(isFlight: Bool, most: Int) throws {
    let calls = (0..<12).map { (name: "add", arguments: "{\"n\":\($0)}") }
    let bench = try Bench([.calls(calls), .answer("done")], agent: Self.one, parallelToolCalls: most)
    let tool = try bench.tool("add") { _, _, arguments in
      usleep(useconds_t(20_000 - (arguments["n"]?.int64 ?? 0) * 1_000))
      return "\(arguments["n"]?.int64 ?? -1)"
    }
    #expect(try run(bench, isFlight: isFlight).task.status == .completed)
    #expect(tool.largestCrowd > 1 || most == 1)
    #expect(tool.largestCrowd <= most)
    #expect(Array(bench.messages(1).dropFirst(2)) == (0..<12).map { "c\($0): \($0)" })
  }

  @Test("a tool may answer later, from another thread", arguments: [false, true])
  func later(isFlight: Bool) throws {
    let bench = try Bench([Self.call, .answer("done")], agent: Self.one)
    try bench.tool("add") { tool, id, _ in
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.02) { tool.reply(id, #""late""#) }
      return nil
    }
    #expect(try run(bench, isFlight: isFlight).text == "done")
    #expect(bench.messages(1).last == "c0: late")
  }

  @Test("what is wrong with a call goes back to the model, and the tool hears nothing of it", arguments: [false, true])
  func malformed(isFlight: Bool) throws {
    let bench = try Bench(
      [.calls([("add", #"{"n":"x"}"#)]), .calls([("sub", "{}")]), Self.call, .answer("done")], agent: Self.one)
    let tool = try bench.tool("add") { _, _, _ in "1" }
    #expect(try run(bench, isFlight: isFlight).text == "done")
    #expect(tool.calls.count == 1)
    #expect(bench.messages(1).last?.contains("do not fit the tool") == true)
    #expect(bench.messages(2).last?.contains("There is no tool named sub. The tools are: add.") == true)
  }

  @Test("a tool that does not answer in time gives the model an error", arguments: [false, true])
  func toolTimeout(isFlight: Bool) throws {
    let bench = try Bench([Self.call, .answer("done")], agent: Self.one)
    let tool = try bench.tool("add", #"{"timeout_ms":20}"#) { _, _, _ in nil }
    #expect(try run(bench, isFlight: isFlight).text == "done")
    #expect(bench.messages(1).last?.contains("timed out after 20 ms") == true)
    #expect(tool.cancelled.count == 1)
  }

  @Test("stopping the task ends the run while a tool is under way, and tells the tool", arguments: [false, true])
  func stop(isFlight: Bool) throws {
    let bench = try Bench([Self.call], agent: Self.one)
    let tool = try bench.tool("add") { _, _, _ in nil }
    let ending = Later { try self.run(bench, isFlight: isFlight) }
    try awaitTrue("the tool is called") { tool.calls.count == 1 }
    #expect(try bench.driver.stop("t1", in: bench.organization)?.task.status == .stopped)
    #expect(try ending.value().task.status == .stopped)
    try awaitTrue("the tool is told") { tool.cancelled.count == 1 }
    #expect(try bench.journalProblem() == nil)
  }

  @Test("the run's time ends it while a tool is under way", arguments: [false, true])
  func timeout(isFlight: Bool) throws {
    let bench = try Bench([Self.call], agent: Self.one)
    let tool = try bench.tool("add") { _, _, _ in nil }
    if isFlight {
      #expect(try run(bench, isFlight: true, milliseconds: 100).task.internalStatus == "timeout")
    } else {
      #expect(throws: RunError.self) { try bench.invoke("go", milliseconds: 100) }
    }
    #expect(try bench.task()?.internalStatus == "timeout")
    try awaitTrue("the tool is told") { tool.cancelled.count == 1 }
  }

  @Test("an agent that lists a tool nobody has registered does not run")
  func missing() throws {
    let bench = try Bench(
      [], agent: #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[]}]}"#)
    let error = #expect(throws: RunError.self) { try bench.invoke("go") }
    guard case .toolMissing("add")? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(try bench.task() == nil)
  }

  @Test("by configuration agents have every tool of the host")
  func all() throws {
    let bench = try Bench([.answer("done")], offersAllTools: true)
    try bench.tool("one") { _, _, _ in "1" }
    try bench.tool("two") { _, _, _ in "1" }
    try bench.invoke("go")
    #expect(bench.model.requests.first?.tools.map { $0.name } == ["one", "two"])
  }

  @Test("the tools of a thread are in its journal once, as long as they stay the same")
  func recordedOnce() throws {
    let bench = try Bench(agent: Self.one)
    try bench.tool("add") { _, _, _ in "1" }
    for _ in 0..<3 { try bench.invoke("go") }
    let bodies = try bench.bodies()
    #expect(bodies.filter { $0.contains(#""tools":"#) }.count == 1)
    #expect(bodies.filter { $0.contains(#""tools_record":1"#) }.count == 2)
    try bench.tools.unregister("add")
    try bench.tool("add", #"{"description":"Another."}"#) { _, _, _ in "1" }
    for _ in 0..<2 { try bench.invoke("go") }
    #expect(try bench.bodies().filter { $0.contains(#""tools":"#) }.count == 2)
  }

  @Test("an answer that goes back because of its schema comes behind the calls and their results")
  func repairAfterTools() throws {
    let bench = try Bench(
      [Self.call, .answer("no json"), .answer(#"{"a":1}"#)],
      agent: #"{"tools":["add"],"output_format":"json"}"#)
    try bench.tool("add") { _, _, _ in "1" }
    #expect(try bench.invoke("go").task.status == .completed)
    let roles = bench.messages(2).map { String($0.prefix(while: { $0 != ":" })) }
    #expect(roles.suffix(5) == ["user", "calls", "c0", "assistant", "user"])
  }

  @Test("followers get the calls and their results in order, live and from the journal")
  func events() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench(
      [.calls([("add", #"{"n":1}"#), ("add", #"{"n":2}"#)]), .wait(gate, "done")], agent: Self.one)
    try bench.tool("add") { _, _, _ in "1" }
    let ear = try bench.launch("go")
    let live = Reader(try #require(ear.follower))
    #expect(live.read(most: 6))
    gate.open()
    #expect(live.read())
    let expected = [
      "created 1", "updated 1.1.0", "asked add 2.0.1", "asked add 2", "returned add 3", "returned add 4", "chunk 4",
      "finished 5",
    ]
    #expect(live.kinds == expected)
    _ = ear.end()
    let past = bench.follow()
    #expect(past.read())
    #expect(past.kinds == expected)
    // From each place the rest follows, without a gap and without anything twice.
    for (index, event) in past.events.enumerated().dropLast() {
      let rest = bench.follow(after: event.position)
      #expect(rest.read())
      #expect(rest.kinds == Array(expected.dropFirst(index + 1)), "after \(event.position.text)")
    }
  }

  @Test("the result with which a turn ends is told before the end, live and from the journal")
  func lastResult() throws {
    let bench = try Bench([Self.call], agent: Self.one)
    try bench.tool("add") { _, _, _ in "1" }
    let ear = try bench.launch("go", request: #"{"limits":{"model_calls":1}}"#)
    let live = Reader(try #require(ear.follower))
    #expect(live.read())
    #expect(live.kinds == ["created 1", "updated 1.1.0", "asked add 2", "returned add 3.0.1", "finished 3"])
    let past = bench.follow()
    #expect(past.read())
    #expect(past.kinds == live.kinds)
    _ = ear.end()
  }

  @Test("a place far inside of a long turn is found again")
  func farInside() throws {
    let calls = (0..<80).map { ("add", #"{"n":\#($0)}"#) }
    let bench = try Bench([.calls(calls), .answer("done")], agent: Self.one)
    try bench.tool("add") { _, _, _ in "1" }
    try bench.invoke("go")
    let whole = bench.follow()
    #expect(whole.read())
    for index in [70, whole.events.count - 40, whole.events.count - 1] {
      let end = Later { () -> [String] in
        let rest = bench.follow(after: whole.events[index].position)
        rest.read()
        return rest.kinds
      }
      // Who stands behind the end gets it all the same.
      #expect(try end.value() == Array(whole.kinds[min(index + 1, whole.kinds.count - 1)...]))
    }
  }

  @Test("a call that changes something is on disk before the tool hears of it, whatever the durability")
  func intent() throws {
    for (members, owed) in [("{}", 1), (#"{"read_only":true}"#, 0), (#"{"idempotent":true}"#, 1)] {
      let path = try StorePath()
      let bench = try Bench([Self.call, .answer("done")], agent: Self.one, path: path.path)
      let syncs = Counted()
      try bench.tool("add", members) { _, _, _ in
        syncs.value = bench.store.writeCounts.syncs
        return "1"
      }
      let before = bench.store.writeCounts.syncs
      try bench.invoke("go")
      #expect(syncs.value - before == Int64(owed), "\(members)")
    }
  }

  private final class Counted: @unchecked Sendable { var value: Int64 = 0 }
}

extension Bench {
  /// The bodies of the records of the thread `t1` that begin a turn.
  func bodies() throws -> [String] {
    let task = try #require(try task())
    return try (1...task.sequence).compactMap { sequence in
      guard let record = try store.record(sequence, of: task), record.kind == 1 else { return nil }
      return String(decoding: record.body, as: UTF8.self)
    }
  }
}
