import Foundation
import MusterEngine
import MusterHTTP
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import MusterTools
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Tasks that go on from another one")
struct ForkTests {
  private static let agent = #"{"tools":["add"],"instructions":{"general":"Be brief.","role":["a cook"]}}"#
  private static let call: ScriptedModel.Step = .calls([("add", #"{"n":1}"#)])
  private static let asked = #"calls: ["c0 add {\"n\":1}"]"#
  private static let system = "system: Be brief.\n\nYour role:\n- a cook"

  /// What a fork changes.
  private struct Change {
    var request: [(key: String, value: String)] = []
    var changesModel = false
    var instructions: String?
    var network = NetworkPolicy.open
  }

  /// Makes a fork named `t2`, and gives it as it was accepted.
  @discardableResult
  private func fork(
    _ bench: Bench, at sequence: Int64, _ change: Change = Change(), of task: String = "t1", as id: String = "t2"
  ) throws -> TaskSnapshot {
    let point = try #require(try bench.driver.forkPoint(of: task, in: bench.organization, at: sequence))
    let request = point.beginning.request.setting(try change.request.map { ($0.key, try json($0.value)) })
    let agent = AgentConfiguration(document: bench.document, secrets: nil)
    return try bench.driver.fork(
      point, ForkChange(changesModel: change.changesModel, changesInstructions: change.instructions != nil),
      as: Invocation(
        organizationID: bench.organization, agentID: Bench.agentID, agentVersion: "2", requestedVersion: nil,
        agent: change.instructions.map { agent.with(instructions: $0) } ?? agent, taskID: id, isNewTask: true,
        request: request, network: change.network))
  }

  private func awaitEnd(_ bench: Bench, _ id: String = "t2", _ status: TaskStatus = .completed) throws {
    try awaitTrue("the task is \(status)") { try bench.task(id)?.status == status }
  }

  private func problem(_ bench: Bench, _ id: String = "t2") throws -> String? {
    let replay = try bench.driver.replay(id, in: bench.organization, deadline: .never, interrupt: Interrupt())
    return replay?.problem ?? (replay?.difference == nil ? nil : "it differs")
  }

  /// The bytes of a task's journal and what its row says.
  private func whole(_ bench: Bench, _ id: String = "t1") throws -> [String] {
    let task = try #require(try bench.task(id))
    var lines = ["\(task.status) \(task.sequence) \(task.turn) \(task.updatedAt.microseconds) \(task.fence)"]
    for sequence in 1...task.sequence {
      guard let record = try bench.store.record(sequence, of: task) else { continue }
      lines.append(String(decoding: record.body + record.commands, as: UTF8.self))
    }
    return lines
  }

  @Test(
    "an agent's call that has no answer yet is not made twice: both tasks go on with the answer",
    arguments: [false, true])
  func amidAgentsCall(isContinuous: Bool) throws {
    let graph =
      #"{"graph":[{"item_id":"ann","type":"agent","targets":[]}],"#
      + #""delegation_memory_strategy":"original-input","sub_agents_continuous_thread":\#(isContinuous)}"#
    let ask: ScriptedModel.Step = .calls([("ann", #"{"task":"pay"}"#)])
    let path = try StorePath()
    let bench = try Bench(
      (isContinuous ? [ask, .answer("known"), .answer("before")] : [])
        + [ask, .calls([("add", #"{"n":1}"#)]), .answer("paid"), .answer("one"), .answer("two"), .answer("three")],
      agent: graph,
      path: path.path)
    let tool = try bench.tool("add") { _, _, _ in "1" }
    let item = #"{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[]}"#
    // The first time it is not asked for the tool, so nobody has to decide.
    let gated = #"{"graph":[\#(item.dropLast()),"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", gated)])
    if isContinuous { #expect(try bench.invoke("hello").text == "before") }
    #expect(try bench.invoke("go").task.status == .pending)
    let asked = try #require(try bench.task()).sequence
    try fork(bench, at: asked)
    try fork(bench, at: asked, of: "t2", as: "t3")
    try awaitTrue("both wait") { try ["t2", "t3"].allSatisfy { try bench.task($0)?.status == .pending } }
    usleep(300_000)
    let waiting = try ["t2", "t3"].map { try bench.task($0)?.sequence }
    // Nothing becomes of looking whether they may go on.
    usleep(700_000)
    #expect(try ["t2", "t3"].map { try bench.task($0)?.sequence } == waiting)
    let below = try #require(try bench.subtasks().last)
    #expect(below.status == .paused)
    _ = try bench.driver.decide(below.id, in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed
    }
    try awaitEnd(bench, "t1")
    try awaitEnd(bench, "t2")
    try awaitEnd(bench, "t3")
    #expect(tool.calls.count == 1)
    #expect(Set(try ["t1", "t2", "t3"].map { try bench.text($0) }) == ["one", "two", "three"])
    #expect(try bench.subtasks(of: "t2").isEmpty && bench.subtasks(of: "t3").isEmpty)
    bench.close()
  }

  @Test("behind the result of a tool the model is asked again, and the tool is not called again")
  func behindEffect() throws {
    let bench = try Bench([Self.call, .answer("first"), .answer("second")], agent: Self.agent)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("go")
    let before = try whole(bench)
    let accepted = try fork(bench, at: 3)
    #expect(accepted.task.status == .pending)
    #expect(accepted.task.forkedFrom == "t1")
    #expect(accepted.task.forkedAt == 3)
    try awaitEnd(bench)
    #expect(tool.calls.count == 1)
    #expect(bench.messages(2) == bench.messages(1))
    #expect(bench.messages(2) == [Self.system, "user: go", Self.asked, "c0: 2"])
    let task = try #require(try bench.driver.snapshot("t2", in: bench.organization))
    #expect(task.text == "second")
    #expect(task.task.forkedFrom == "t1")
    #expect(try problem(bench) == nil)
    #expect(try whole(bench) == before)
  }

  @Test("with another input, other instructions and another model, which the rest of the turn is asked with")
  func changed() throws {
    let bench = try Bench([Self.call, .answer("first"), .answer("second")], agent: Self.agent)
    try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("go", request: #"{"additional_context":"It rains."}"#)
    try fork(
      bench, at: 3,
      Change(
        request: [("input", #"{"text":"come"}"#), ("llm_model_name", #""other""#)], changesModel: true,
        instructions: "Be long.", network: .public))
    try awaitEnd(bench)
    #expect(bench.messages(2) == ["system: Be long.\n\nIt rains.", "user: come", Self.asked, "c0: 2"])
    #expect(bench.model.requests.map { $0.model } == ["m", "m", "other"])
    let beginning = try #require(try bench.driver.snapshot("t2", in: bench.organization)).beginning()
    #expect(beginning.model == "other")
    #expect(beginning.network == NetworkPolicy.public.text)
    #expect(beginning.isDetached)
    #expect(try problem(bench) == nil)
  }

  @Test("with another model a limit of cost counts in that model's price, and without one there is no fork")
  func price() throws {
    let bench = try Bench(
      [Self.call, .answer("first"), .answer("second")], agent: Self.agent,
      prices: [
        ModelPrice(model: "m", price: Price(input: 1, output: 2)),
        ModelPrice(model: "other", price: Price(input: 3, output: 4)),
      ])
    try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("go", request: #"{"limits":{"cost":1}}"#)
    #expect(throws: RunError.self) {
      try fork(bench, at: 3, Change(request: [("llm_model_name", #""free""#)], changesModel: true))
    }
    #expect(try bench.task("t2") == nil)
    try fork(bench, at: 3, Change(request: [("llm_model_name", #""other""#)], changesModel: true))
    try awaitEnd(bench)
    let beginning = try #require(try bench.driver.snapshot("t2", in: bench.organization)).beginning()
    #expect(beginning.price == Price(input: 3, output: 4))
    #expect(try problem(bench) == nil)
    bench.close()
  }

  @Test("behind the end of a turn a further one begins, with the history of the thread")
  func furtherTurn() throws {
    let bench = try Bench(
      [Self.call, .answer("first"), .answer("second"), .answer("third"), .answer("fourth")], agent: Self.agent)
    try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("one")
    try bench.invoke("two")
    let before = try whole(bench)
    try fork(bench, at: 4, Change(request: [("input", #"{"text":"three"}"#)]))
    try awaitEnd(bench)
    #expect(
      bench.messages(3) == [Self.system, "user: one", Self.asked, "c0: 2", "assistant: first", "user: three"])
    #expect(try bench.task("t2")?.turn == 2)
    #expect(try problem(bench) == nil)
    #expect(try whole(bench) == before)
    try bench.invoke("four", thread: "t2")
    #expect(bench.messages(4).suffix(3) == ["user: three", "assistant: third", "user: four"])
    #expect(try bench.task("t2")?.forkedFrom == "t1")
  }

  @Test("a task that was stopped in the middle of an answer goes on in another one")
  func stopped() throws {
    let bench = try Bench([.hang, .answer("second")], agent: "{}")
    let run = Later { try bench.invoke("go") }
    try bench.awaitQuestions(1)
    _ = try bench.driver.stop("t1", in: bench.organization)
    _ = try run.value()
    try fork(bench, at: 1)
    try awaitEnd(bench)
    #expect(try bench.driver.snapshot("t2", in: bench.organization)?.text == "second")
    #expect(try bench.task()?.status == .stopped)
  }

  @Test("of a task that waits for a person each waits for its own decision")
  func paused() throws {
    let gated = #"""
      {"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"May I?"}}}]}
      """#
    let bench = try Bench([Self.call, .answer("done"), .answer("no")], agent: gated)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    #expect(try bench.invoke("go").task.status == .paused)
    try fork(bench, at: 2)
    try awaitEnd(bench, "t2", .paused)
    _ = try bench.driver.decide("t2", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    try awaitEnd(bench)
    #expect(tool.calls.count == 1)
    #expect(try bench.task()?.status == .paused)
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .decline }
    try awaitEnd(bench, "t1")
    #expect(tool.calls.count == 1)
    #expect(try problem(bench) == nil)
  }

  @Test("an approval that the other task has followed is not followed again: what became of the call is asked first")
  func approved() throws {
    let gated = #"""
      {"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],
        "settings":{"hitl_options":{"title":"May I?"}}}]}
      """#
    let bench = try Bench([Self.call, .answer("first"), .answer("second")], agent: gated)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    #expect(try bench.invoke("go").task.status == .paused)
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    try awaitEnd(bench, "t1")
    // The third record is the decision.
    try fork(bench, at: 3)
    try awaitEnd(bench, "t2", .paused)
    #expect(tool.calls.count == 1)
    #expect(try bench.driver.snapshot("t2", in: bench.organization)?.request?.question == .outcome)
    #expect(try problem(bench) == nil)
    bench.close()
  }

  @Test("behind an intent whose result it has not, it is as after a crash: nothing is done twice unasked")
  func intent() throws {
    for (members, calls, status) in [(#"{"idempotent":true}"#, 2, TaskStatus.completed), ("{}", 1, .paused)] {
      let bench = try Bench([Self.call, .answer("first"), .answer("second")], agent: Self.agent)
      let tool = try bench.tool("add", members) { _, _, _ in "2" }
      try bench.invoke("go")
      try fork(bench, at: 2)
      try awaitEnd(bench, "t2", status)
      #expect(tool.calls.count == calls)
      #expect(Set(tool.calls.compactMap { $0["idempotency_key"]?.string }).count == 1)
      #expect(try problem(bench) == nil)
    }
  }

  @Test("it lives on when the other task is deleted, and the other way round")
  func deleted() throws {
    let bench = try Bench(
      [Self.call, .answer("first"), .answer("second"), .answer("third"), .answer("fourth")], agent: Self.agent)
    try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("go")
    for id in ["t2", "t3"] {
      try fork(bench, at: 3, as: id)
      try awaitEnd(bench, id)
    }
    let before = try whole(bench)
    _ = try bench.store.deleteTask("t3", in: bench.organization, durable: false)
    #expect(try whole(bench) == before)
    _ = try bench.store.deleteTask("t1", in: bench.organization, durable: false)
    #expect(try problem(bench) == nil)
    try bench.invoke("on", thread: "t2")
    #expect(bench.messages(4).first == Self.system)
    #expect(bench.messages(4).suffix(2) == ["assistant: second", "user: on"])
    let found = try bench.store.inspect()
    #expect(found.problems == [])
  }

  @Test("a fork that its process does not finish is gone on with by the next")
  func resumed() throws {
    let path = try StorePath()
    let first = try Bench([.answer("first"), .hang], agent: "{}", path: path.path)
    try first.invoke("go")
    try fork(first, at: 2, Change(request: [("input", #"{"text":"on"}"#)]))
    try first.awaitQuestions(2)
    first.close()
    let bench = try Bench([.answer("second")], path: path.path, isNew: false)
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(bench.messages(0) == ["user: go", "assistant: first", "user: on"])
    #expect(try problem(bench) == nil)
    bench.close()
  }

  @Test("an event that the task does not have is no place, and a tool that is missing, or no room, leaves no task")
  func refused() throws {
    let bench = try Bench([Self.call, .answer("first")], agent: Self.agent, flights: 0)
    try bench.tool("add") { _, _, _ in "2" }
    try bench.invoke("go")
    for sequence: Int64 in [-1, 0, 5, .max] {
      #expect(try bench.driver.forkPoint(of: "t1", in: bench.organization, at: sequence) == nil)
    }
    #expect(try bench.driver.forkPoint(of: "no", in: bench.organization, at: 1) == nil)
    #expect(throws: RunError.self) { try fork(bench, at: 3) }
    #expect(try bench.task("t2") == nil)
    try bench.tools.unregister("add")
    guard case .toolMissing("add")? = #expect(throws: RunError.self, performing: { try fork(bench, at: 3) }) else {
      Issue.record("another error")
      return
    }
    #expect(try bench.task("t2") == nil)
  }
}
