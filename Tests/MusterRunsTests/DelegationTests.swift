import Foundation
import MusterEngine
import MusterHTTP
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Agents that start other agents")
struct DelegationTests {
  /// A leader of the agents `ann` and `bob`.
  private static func leader(_ members: String = "{}") throws -> String {
    let usual = try json(
      #"{"graph":[{"item_id":"ann","type":"agent","targets":["bob"]},{"item_id":"bob","type":"agent","targets":[]}]}"#)
    return String(decoding: usual.setting(try json(members).members.map { ($0.key, $0.value) }).bytes, as: UTF8.self)
  }

  private static let both = [("ann", #"{"description":"adds numbers"}"#), ("bob", "{}")]

  private static func ask(_ name: String, _ task: String) -> ScriptedModel.Step {
    .calls([(name, #"{"task":"\#(task)"}"#)])
  }

  @Test("a router's model asks an agent as a tool, and answers with what it said", arguments: [false, true])
  func router(isFlight: Bool) throws {
    let bench = try Bench([Self.ask("ann", "add"), .answer("3"), .answer("It is 3.")], agent: try Self.leader())
    try bench.lead(Self.both)
    if isFlight {
      guard case .task(let snapshot, nil)? = try bench.launch("1 and 2?").end() else {
        Issue.record("no end")
        return
      }
      #expect(snapshot.text == "It is 3.")
    } else {
      #expect(try bench.invoke("1 and 2?").text == "It is 3.")
    }
    #expect(bench.model.requests.map { $0.tools.map { $0.name } } == [["ann", "bob"], [], ["ann", "bob"]])
    #expect(bench.model.requests.first?.tools.first?.description.contains("adds numbers") == true)
    #expect(bench.messages(1) == ["user: 1 and 2?\n\nTask: add"])
    #expect(bench.messages(2).last == "c0: 3")
    let subtask = try #require(try bench.subtasks().first)
    #expect(try bench.subtasks().count == 1)
    #expect(subtask.agentID == "ann" && subtask.status == .completed && subtask.triggeringAgentID == Bench.agentID)
    #expect(try bench.task()?.status == .completed)
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test(
    "an agent that is asked again knows what it was asked before, unless the leader wants otherwise",
    arguments: [true, false])
  func continuous(isContinuous: Bool) throws {
    let bench = try Bench(
      [Self.ask("ann", "one"), .answer("1"), Self.ask("ann", "two"), .answer("2"), .answer("done")],
      agent: try Self.leader(
        #"{"sub_agents_continuous_thread":\#(isContinuous),"delegation_memory_strategy":"original-input"}"#))
    try bench.lead(Self.both)
    #expect(try bench.invoke("go").text == "done")
    #expect(bench.messages(3).filter { $0.hasPrefix("user") }.count == (isContinuous ? 2 : 1))
    #expect(try bench.subtasks().count == (isContinuous ? 1 : 2))
    bench.close()
  }

  @Test("what was said before is summed up by the agent's model, given whole, or left out")
  func memory() throws {
    for strategy in ["summarization", "full", "original-input"] {
      var steps: [ScriptedModel.Step] = [.answer("Hello."), Self.ask("ann", "add")]
      if strategy == "summarization" { steps.append(.answer("They greeted.")) }
      let bench = try Bench(
        steps + [.answer("3"), .answer("done")],
        agent: try Self.leader(#"{"delegation_memory_strategy":"\#(strategy)"}"#))
      try bench.lead(Self.both)
      try bench.invoke("hi")
      #expect(try bench.invoke("now add").text == "done")
      switch strategy {
      case "summarization":
        #expect(bench.messages(2).last?.hasSuffix("user: hi\n\nassistant: Hello.\n\nuser: now add") == true)
        #expect(bench.messages(3) == ["user: They greeted.\n\nTask: add"])
      case "full": #expect(bench.messages(2) == ["user: hi", "assistant: Hello.", "user: now add\n\nTask: add"])
      default:
        #expect(bench.messages(2).last == "user: now add")
        #expect(bench.messages(2).first == "system: add")
      }
      bench.close()
    }
  }

  @Test("agents of a sequence work one after another, each with what the one before came to")
  func sequence() throws {
    for (end, result) in [("finish-with-last", "B"), ("return-to-start", "C")] {
      let bench = try Bench(
        [.answer("A"), .answer("B"), .answer("C")],
        agent: try Self.leader(#"{"delegation_type":"sequence","delegation_end_strategy":"\#(end)"}"#))
      try bench.lead(Self.both)
      let ear = try bench.launch("go")
      let reader = Reader(try #require(ear.follower))
      #expect(reader.read())
      #expect(try bench.text("t1") == result)
      #expect(bench.messages(0) == ["user: go"])
      #expect(bench.messages(1) == ["user: go\nA"])
      #expect(try bench.subtasks().map { $0.agentID } == ["ann", "bob"])
      #expect(reader.kinds.contains { $0.hasPrefix("triggered bob") })
      if end == "return-to-start" {
        #expect(bench.messages(2).last?.hasPrefix("user: go\n\nThe agents") == true)
        #expect(bench.messages(2).last?.hasSuffix("\n\nB") == true)
        #expect(bench.model.requests[2].tools.isEmpty)
      }
      // The next turn knows what this one came to.
      bench.close()
      #expect(try bench.journalProblem() == nil)
    }
  }

  @Test("a sequence ends where one of its agents fails, and says so")
  func failedStep() throws {
    let bench = try Bench(
      [.fail(.permanent)], agent: try Self.leader(#"{"delegation_type":"sequence"}"#))
    try bench.lead(Self.both)
    let snapshot = try bench.invoke("go")
    #expect(snapshot.task.status == .failed && snapshot.task.internalStatus == "sub_agent")
    #expect(try bench.subtasks().map { $0.status } == [.error])
    bench.close()
  }

  @Test("who stops a task stops what it has started")
  func stop() throws {
    let bench = try Bench([Self.ask("ann", "add"), .hang], agent: try Self.leader())
    try bench.lead(Self.both)
    let ear = try bench.launch("go")
    try bench.awaitQuestions(2)
    #expect(try bench.driver.stop("t1", in: bench.organization)?.task.status == .stopped)
    _ = ear.end()
    try awaitTrue("it is stopped") { try bench.subtasks().first?.status == .stopped }
    #expect(try bench.subtasks().first?.isManuallyStopped == true)
    bench.close()
  }

  @Test(
    "a sub-task that ends because the time of the task above is over was stopped by nobody", arguments: [false, true])
  func timeOut(isFlight: Bool) throws {
    let bench = try Bench([Self.ask("ann", "add"), .hang], agent: try Self.leader())
    try bench.lead(Self.both)
    if isFlight {
      _ = try bench.launch("go", milliseconds: 500).end()
    } else {
      #expect(throws: RunError.self) { try bench.invoke("go", milliseconds: 500) }
    }
    try awaitTrue("it is stopped") { try bench.subtasks().first?.status.isFinal == true }
    let subtask = try #require(try bench.subtasks().first)
    #expect(subtask.status == .stopped)
    #expect(!subtask.isManuallyStopped)
    #expect(["timeout", "parent_ended"].contains(subtask.internalStatus ?? ""))
    bench.close()
  }

  @Test("the end of a plane puts both aside, and both are gone on with; the agent is not started twice")
  func resume() throws {
    let path = try StorePath()
    let first = try Bench([Self.ask("ann", "add"), .hang], agent: try Self.leader(), path: path.path)
    try first.lead(Self.both)
    _ = try first.launch("go")
    try first.awaitQuestions(2)
    first.close()
    #expect(try first.task()?.status == .pending)
    #expect(try first.subtasks().map { $0.status } == [.pending])
    let bench = try Bench([.answer("3"), .answer("done")], agent: try Self.leader(), path: path.path, isNew: false)
    try bench.lead(Self.both, isNew: false)
    try bench.driver.resume()
    try awaitTrue("the task has ended") { try bench.task()?.status == .completed }
    #expect(try bench.text("t1") == "done")
    #expect(bench.model.requests.count == 2)
    #expect(try bench.subtasks().count == 1)
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test(
    "a sub-task that waits for a person puts the task above aside, which goes on after it", arguments: [false, true])
  func person(isFlight: Bool) throws {
    let bench = try Bench(
      [Self.ask("ann", "pay"), .calls([("add", #"{"n":1}"#)]), .answer("paid"), .answer("done")],
      agent: try Self.leader())
    try bench.tool("add") { _, _, _ in "1" }
    let gated =
      #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", gated), ("bob", "{}")])
    if isFlight {
      guard case .task(let snapshot, nil)? = try bench.launch("go").end() else {
        Issue.record("no end")
        return
      }
      #expect(snapshot.task.status == .pending)
    } else {
      #expect(try bench.invoke("go").task.status == .pending)
    }
    let subtask = try #require(try bench.subtasks().first)
    #expect(subtask.status == .paused)
    _ = try bench.driver.decide(
      subtask.id, in: bench.organization, request: nil, comment: nil, user: nil
    ) { _ in .proceed }
    try awaitTrue("the task has ended") { try bench.task()?.status == .completed }
    #expect(try bench.text("t1") == "done")
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test("a task whose sub-task waits for a person is left alone until then, whoever waits for its thread")
  func leftAlone() throws {
    let bench = try Bench(
      [Self.ask("ann", "pay"), .calls([("add", #"{"n":1}"#)]), .answer("paid"), .answer("done"), .answer("next")],
      agent: try Self.leader())
    try bench.tool("add") { _, _, _ in "1" }
    let gated =
      #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", gated), ("bob", "{}")])
    #expect(try bench.invoke("go").task.status == .pending)
    let before = try #require(try bench.task())
    let next = try bench.launch("and then?")
    try bench.driver.resume()
    usleep(300_000)
    #expect(try bench.task()?.sequence == before.sequence)
    _ = try bench.driver.decide(
      try #require(try bench.subtasks().first).id, in: bench.organization, request: nil, comment: nil, user: nil
    ) { _ in .proceed }
    guard case .task(let snapshot, nil)? = next.end() else {
      Issue.record("no end")
      return
    }
    #expect(snapshot.text == "next")
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test("agents that start each other come to an end at the depth that is allowed")
  func depth() throws {
    let circle = #"{"graph":[{"item_id":"ann","type":"agent","targets":[]}]}"#
    let model = ScriptedModel([], fallback: Self.ask("ann", "on"))
    let bench = try Bench(agent: circle, model: model)
    try bench.lead([("ann", circle)])
    _ = try bench.invoke("go", request: #"{"limits":{"depth":3,"model_calls":20}}"#)
    var deepest = 0
    var id = "t1"
    while let next = try bench.subtasks(of: id).first {
      deepest += 1
      id = next.id
    }
    #expect(deepest == 3)
    let last = try #require(try bench.task(id))
    #expect(last.status == .failed && last.internalStatus == "limit_depth")
    #expect(model.requests.count <= 20)
    bench.close()
  }

  @Test("a sequence that leads itself comes to an end at the depth that is allowed, however deep", arguments: [2, 400])
  func sequenceInCircles(depth: Int) throws {
    let circle = #"{"delegation_type":"sequence","graph":[{"item_id":"ann","type":"agent","targets":[]}]}"#
    let bench = try Bench(agent: circle)
    try bench.lead([("ann", circle)])
    let snapshot = try bench.invoke("go", request: #"{"limits":{"depth":\#(depth)}}"#)
    #expect(snapshot.task.status == .failed && snapshot.task.internalStatus == "sub_agent")
    var deepest = 0
    var id = "t1"
    while let next = try bench.subtasks(of: id).first {
      deepest += 1
      id = next.id
    }
    #expect(deepest == depth)
    #expect(try bench.task(id)?.internalStatus == "limit_depth")
    bench.close()
  }

  /// A task that is put aside with its sub-task, which has asked a person and done something before.
  private func waiting(
    _ more: [ScriptedModel.Step], isContinuous: Bool, _ then: (Bench, TestTool, TaskRow) throws -> Void
  ) throws {
    let note: ScriptedModel.Step = .calls([("note", "{}")])
    let bench = try Bench(
      [Self.ask("ann", "pay"), note, .calls([("add", #"{"n":1}"#)])] + more,
      agent: try Self.leader(
        #"{"sub_agents_continuous_thread":\#(isContinuous),"delegation_memory_strategy":"original-input"}"#))
    let tool = try bench.tool("note") { _, _, _ in "1" }
    try bench.tool("add") { _, _, _ in "1" }
    let graph =
      #"{"graph":[{"item_id":"note","type":"tool","sub_type":"local_tool","targets":[]},"#
      + #"{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", graph), ("bob", "{}")])
    #expect(try bench.invoke("go").task.status == .pending)
    let subtask = try #require(try bench.subtasks().first)
    #expect(subtask.status == .paused)
    try then(bench, tool, subtask)
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test("the answer of an agent counts, whatever its thread has gone on with since", arguments: [false, true])
  func threadGoesOn(isContinuous: Bool) throws {
    try waiting([.answer("paid"), .answer("else"), .answer("done")], isContinuous: isContinuous) {
      bench, tool, subtask in
      // The task above cannot go on while the agent's answer comes.
      let stranger = try #require(try bench.task())
      #expect(bench.driver.resumes.take(stranger))
      _ = try bench.driver.decide(
        subtask.id, in: bench.organization, request: nil, comment: nil, user: nil
      ) { _ in .proceed }
      try awaitTrue("the agent has answered") { try bench.task(subtask.id)?.status == .completed }
      let ann = Invocation(
        organizationID: bench.organization, agentID: "ann", agentVersion: "1", requestedVersion: nil,
        agent: AgentConfiguration(document: bench.document, secrets: nil), taskID: subtask.id,
        request: try json(#"{"input":{"text":"and then?"}}"#), network: .open)
      #expect(
        try bench.driver.invoke(ann, deadline: .after(milliseconds: 20_000), interrupt: Interrupt()).text == "else")
      bench.driver.resumes.giveBack(stranger)
      try bench.driver.resume()
      try awaitTrue("the task has ended") { try bench.task()?.status == .completed }
      #expect(tool.calls.count == 1)
      #expect(try bench.subtasks().count == 1)
      #expect(bench.messages(5).last == "c0: paid")
    }
  }

  @Test("a sub-task that was deleted is not started anew: the model is told", arguments: [false, true])
  func deleted(isContinuous: Bool) throws {
    try waiting([.answer("done")], isContinuous: isContinuous) { bench, tool, subtask in
      let removed = try bench.store.deleteTask(
        subtask.id, in: bench.organization, onlyOf: nil, answering: bench.driver.answeredCall(of: subtask),
        durable: false)
      #expect(removed == [subtask.id])
      bench.driver.goOnAbove(deleted: ["t1"], in: bench.organization)
      try awaitTrue("the task has ended") { try bench.task()?.status == .completed }
      #expect(tool.calls.count == 1)
      #expect(bench.messages(3).last == "c0: The sub-task was deleted.")
    }
  }

  @Test("where there is one place, a task does not take it from the agent that it waits for")
  func onePlace() throws {
    let path = try StorePath()
    let bench = try Bench(
      [Self.ask("ann", "pay"), .calls([("add", #"{"n":1}"#)]), .hang, .answer("paid"), .answer("done")],
      agent: try Self.leader(), path: path.path, flights: 1)
    try bench.tool("add") { _, _, _ in "1" }
    let gated =
      #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", gated), ("bob", "{}")])
    #expect(try bench.invoke("go").task.status == .pending)
    try bench.driver.resume()
    let interrupt = Interrupt()
    let other = try bench.launch("wait", thread: "t2", interrupt: interrupt)
    try bench.awaitQuestions(3)
    let subtask = try #require(try bench.subtasks().first)
    _ = try bench.driver.decide(
      subtask.id, in: bench.organization, request: nil, comment: nil, user: nil
    ) { _ in .proceed }
    usleep(400_000)
    interrupt.fire(.cancelled)
    _ = other.end()
    try awaitTrue("the task has ended") { try bench.task()?.status == .completed }
    #expect(try #require(try bench.task()).sequence < 12)
    bench.close()
  }

  @Test("who waits behind a task that was put aside does not keep the last place from it")
  func lastPlace() throws {
    let path = try StorePath()
    let first = try Bench([.hang], path: path.path)
    _ = try first.launch("go")
    try first.awaitQuestions(1)
    first.close()
    let bench = try Bench([.answer("done")], path: path.path, flights: 1, isNew: false)
    guard case .failed(.tooMany)? = try bench.launch("on").end() else {
      Issue.record("it waits")
      return
    }
    bench.close()
  }

  @Test("a run that its caller has seen put aside goes on as any other: the end of a plane puts it aside again")
  func detached() throws {
    let path = try StorePath()
    let bench = try Bench(
      [Self.ask("ann", "pay"), .calls([("add", #"{"n":1}"#)]), .answer("paid"), .hang], agent: try Self.leader(),
      path: path.path)
    try bench.tool("add") { _, _, _ in "1" }
    let gated =
      #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    try bench.lead([("ann", gated), ("bob", "{}")])
    #expect(try bench.invoke("go").task.status == .pending)
    _ = try bench.driver.decide(
      try #require(try bench.subtasks().first).id, in: bench.organization, request: nil, comment: nil, user: nil
    ) { _ in .proceed }
    try bench.awaitQuestions(4)
    bench.close()
    #expect(try bench.task()?.status == .pending)
  }

  @Test("what an interrupted run had started ends with it")
  func interrupted() throws {
    let gated =
      #"{"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{"title":"?"}}}]}"#
    let bench = try Bench(
      [.calls([("ann", #"{"task":"pay"}"#), ("bob", #"{"task":"pay"}"#)]), .calls([("add", #"{"n":1}"#)]), .hang],
      agent: try Self.leader())
    try bench.tool("add") { _, _, _ in "1" }
    try bench.lead([("ann", gated), ("bob", gated)])
    let run = Later { try bench.invoke("go") }
    // One asks a person, and the other one its model for ever.
    try bench.awaitQuestions(3)
    try awaitTrue("a person is asked") { try bench.subtasks().contains { $0.status == .paused } }
    let row = try #require(try bench.task())
    #expect(try bench.driver.end(row, with: .interrupted))
    _ = try? run.value()
    try awaitTrue("they have ended") { try bench.subtasks().allSatisfy { $0.status.isFinal } }
    bench.close()
  }

  @Test("sub-tasks share what the task may use up, and together do not cross it")
  func budget() throws {
    let circle = #"{"graph":[{"item_id":"ann","type":"agent","targets":[]}]}"#
    let model = ScriptedModel(
      [], fallback: .calls([("ann", #"{"task":"a"}"#), ("ann", #"{"task":"b"}"#), ("ann", #"{"task":"c"}"#)]))
    let bench = try Bench(agent: circle, model: model)
    try bench.lead([("ann", circle)])
    let snapshot = try bench.invoke("go", request: #"{"limits":{"model_calls":9}}"#)
    #expect(snapshot.task.status == .failed && snapshot.task.internalStatus == "limit_model_calls")
    #expect(model.requests.count <= 9)
    #expect(model.requests.count > 3)
    bench.close()
  }

  @Test("seconds are those of the turn: a model that takes longer is given up, and so is what was started")
  func seconds() throws {
    let bench = try Bench([Self.ask("ann", "add"), .hang], agent: try Self.leader())
    try bench.lead(Self.both)
    let snapshot = try bench.invoke("go", request: #"{"limits":{"seconds":1}}"#)
    #expect(snapshot.task.status == .failed && snapshot.task.internalStatus == "limit_seconds")
    try awaitTrue("it is stopped") { try bench.subtasks().first?.status.isFinal == true }
    bench.close()
  }

  @Test("a run whose cost is limited needs a price of its model")
  func price() throws {
    let bench = try Bench()
    #expect(throws: RunError.self) { try bench.invoke("go", request: #"{"limits":{"cost":1}}"#) }
    #expect(try bench.task() == nil)
  }

  @Test("an agent that leads others which cannot be run is refused before anything begins")
  func missing() throws {
    let bench = try Bench(agent: try Self.leader())
    try bench.lead([("ann", "{}")])
    #expect(throws: RunError.self) { try bench.invoke("go") }
    #expect(try bench.task() == nil)
    bench.close()
  }
}
