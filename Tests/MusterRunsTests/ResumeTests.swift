import Foundation
import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Runs that are gone on with")
struct ResumeTests {
  private static let agent = #"{"tools":["add"]}"#
  private static let call: ScriptedModel.Step = .calls([("add", #"{"n":1}"#)])

  /// Closes the driver of a first bench while a tool is under way or the model is asked, as the end of a plane does.
  private func interrupted(
    _ path: StorePath, _ steps: [ScriptedModel.Step], _ members: String = "{}", calls: Int = 1
  ) throws -> TestTool {
    let bench = try Bench(steps, agent: Self.agent, path: path.path)
    let tool = try bench.tool("add", members) { _, _, _ in nil }
    let ear = try bench.launch("go")
    if calls > 0 {
      try awaitTrue("the tools are called") { tool.calls.count == calls }
    } else {
      try bench.awaitQuestions(1)
    }
    bench.close()
    guard case .failed(.interrupted(.closing, "t1"))? = ear.end() else {
      Issue.record("\(String(describing: ear.ends))")
      return tool
    }
    #expect(try bench.task()?.status == .pending)
    #expect(try bench.task()?.owner == nil)
    return tool
  }

  private func awaitEnd(_ bench: Bench, _ status: TaskStatus = .completed) throws {
    try awaitTrue("the task is \(status)") { try bench.task()?.status == status }
  }

  @Test("nobody goes on with the run of a plane that closes before the host's code has returned")
  func hostAtWork() throws {
    let path = try StorePath()
    let closing = try Bench([Self.call], agent: Self.agent, path: path.path)
    let goesOn = DispatchSemaphore(value: 0)
    let tool = try closing.tool("add", #"{"probe":true}"#) { _, _, _ in
      _ = goesOn.wait(timeout: .now() + 20)
      return nil
    }
    let ear = try closing.launch("go")
    try awaitTrue("the tool is called") { tool.calls.count == 1 }
    let end = Later { closing.close() }
    try awaitTrue("who launched the run hears of the end") { ear.end() != nil }
    try awaitTrue("the tool hears of it") { tool.cancelled.count == 1 }
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    let other = try bench.tool("add", #"{"probe":true}"#) { _, _, _ in #"{"done":true,"result":1}"# }
    try bench.driver.resume()
    #expect(try bench.task()?.status == .executing)
    #expect(other.calls.isEmpty)
    goesOn.signal()
    try end.value()
    #expect(try bench.task()?.status == .pending)
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(other.calls.count == 1)
    bench.close()
  }

  @Test("a run that was asking its model asks it again")
  func asking() throws {
    let path = try StorePath()
    _ = try interrupted(path, [.hang], calls: 0)
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    try bench.tool("add") { _, _, _ in "1" }
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(try bench.driver.snapshot("t1", in: bench.organization)?.text == "done")
    #expect(bench.messages(0) == ["user: go"])
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test(
    "a call that may be made again is made again, with the same key",
    arguments: [#"{"read_only":true}"#, #"{"idempotent":true}"#])
  func again(members: String) throws {
    let path = try StorePath()
    let before = try interrupted(path, [Self.call], members)
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    let tool = try bench.tool("add", members) { _, _, _ in "2" }
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(tool.calls.count == 1)
    #expect(tool.calls.first?["idempotency_key"]?.string == before.calls.first?["idempotency_key"]?.string)
    #expect(tool.calls.first?["repeat"]?.bool == true)
    #expect(bench.messages(0).last == "c0: 2")
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test(
    "a tool with a probe is asked, and called again only if it says that it was not done", arguments: [true, false])
  func probe(wasDone: Bool) throws {
    let path = try StorePath()
    _ = try interrupted(path, [Self.call], #"{"probe":true}"#)
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    let tool = Registered()
    tool.tool = try bench.tool("add", #"{"probe":true}"#) { _, _, _ in
      tool.tool?.calls.last?["probe"]?.bool == true ? #"{"done":\#(wasDone),"result":"then"}"# : #""now""#
    }
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(tool.tool?.calls.map { $0["probe"]?.bool } == (wasDone ? [true] : [true, false]))
    #expect(bench.messages(0).last == (wasDone ? "c0: then" : "c0: now"))
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  private final class Registered: @unchecked Sendable {
    var tool: TestTool?
    var number: Int64 = 0
  }

  @Test("a call that may have been made and cannot be made again is asked about, and never made unasked")
  func outcome() throws {
    for (answer, calls, told) in [
      (Decision.Answer.done, 0, "c0: it was paid"), (.proceed, 1, "c0: 2"), (.giveUp, 0, nil),
    ] {
      let path = try StorePath()
      _ = try interrupted(path, [Self.call])
      let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
      let tool = try bench.tool("add") { _, _, _ in "2" }
      try bench.driver.resume()
      try awaitEnd(bench, .paused)
      let request = try #require(try bench.driver.snapshot("t1", in: bench.organization)?.request)
      #expect(request.question == .outcome)
      #expect(tool.calls.isEmpty)
      let outcome = try bench.driver.decide(
        "t1", in: bench.organization, request: request.id, comment: "it was paid", user: "ann"
      ) { _ in answer }
      guard case .taken = outcome else {
        Issue.record("\(outcome)")
        continue
      }
      try awaitEnd(bench, answer == .giveUp ? .failed : .completed)
      #expect(tool.calls.count == calls)
      #expect(bench.messages(0).last == told)
      #expect(try bench.journalProblem() == nil)
      bench.close()
    }
  }

  @Test("results that are on record are not asked for again")
  func partly() throws {
    let path = try StorePath()
    let first = try Bench(
      [.calls([("add", #"{"n":1}"#), ("add", #"{"n":2}"#)])], agent: Self.agent, path: path.path)
    let tool = try first.tool("add", #"{"idempotent":true}"#) { _, _, arguments in
      arguments["n"]?.int64 == 1 ? #""one""# : nil
    }
    _ = try first.launch("go")
    try awaitTrue("the first result is on record") { try tool.calls.count == 2 && first.task()?.sequence == 3 }
    first.close()
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    let again = try bench.tool("add", #"{"idempotent":true}"#) { _, _, _ in #""two""# }
    try bench.driver.resume()
    try awaitEnd(bench)
    #expect(again.calls.map { $0["arguments"]?["n"]?.int64 } == [2])
    #expect(bench.messages(0).suffix(2) == ["c0: one", "c1: two"])
    bench.close()
  }

  @Test("a run whose tool is not registered waits until it is")
  func parked() throws {
    let path = try StorePath()
    _ = try interrupted(path, [Self.call], #"{"read_only":true}"#)
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    try bench.driver.resume()
    usleep(100_000)
    #expect(try bench.task()?.status == .pending)
    #expect(bench.model.requests.isEmpty)
    try bench.tool("add", #"{"read_only":true}"#) { _, _, _ in "2" }
    bench.driver.toolCame()
    try awaitEnd(bench)
    bench.close()
  }

  @Test("opening touches nothing, and two that go on at once do not both: the model is asked once")
  func once() throws {
    let path = try StorePath()
    _ = try interrupted(path, [.hang], calls: 0)
    let bench = try Bench([.answer("done")], agent: Self.agent, path: path.path, isNew: false)
    try bench.tool("add") { _, _, _ in "1" }
    try bench.driver.takeInventory()
    #expect(try bench.task()?.status == .pending)
    let others = (0..<8).map { _ in Later { try bench.driver.resume() } }
    for other in others { try other.value() }
    try awaitEnd(bench)
    #expect(bench.model.requests.count == 1)
    bench.close()
  }

  @Test("each of hundreds of runs is gone on with, and one whose journal cannot be read ends and keeps none back")
  func hundreds() throws {
    let path = try StorePath()
    let names = (0..<600).map { "t\($0)" }
    let members = #"{"idempotent":true}"#
    let first = try Bench(
      agent: Self.agent, path: path.path, model: ScriptedModel([], fallback: Self.call))
    let before = try first.tool("add", members) { _, _, _ in nil }
    for name in names { _ = try first.launch("go", thread: name, milliseconds: 60_000, isFollowed: false) }
    // Of as many as have a thread.
    try awaitTrue("all have their answers on record") {
      try names.allSatisfy { try first.task($0)?.sequence == 2 }
    }
    first.close()
    let bench = try Bench(
      agent: Self.agent, path: path.path, model: ScriptedModel([], fallback: .answer("done")), isNew: false)
    let broken = try #require(try bench.task("t300"))
    let record = JournalEntry(
      kind: 99, format: 1, time: .now(), role: nil, body: Array("{}".utf8), commands: [0x5b, 0x5d])
    #expect(try bench.store.park(broken, as: .pending, with: record, durable: false) != nil)
    let tool = try bench.tool("add", members) { _, _, _ in "2" }
    try bench.driver.resume()
    try awaitTrue("all have ended") { try names.allSatisfy { try bench.task($0)?.status.isFinal == true } }
    for name in names {
      #expect(try bench.task(name)?.status == (name == "t300" ? .error : .completed))
    }
    let keys = Set(tool.calls.compactMap { $0["idempotency_key"]?.string })
    #expect(tool.calls.count == 599)
    #expect(keys.count == 599)
    #expect(
      before.calls.allSatisfy {
        $0["task_id"]?.isString("t300") == true || keys.contains($0["idempotency_key"]?.string ?? "")
      })
    bench.close()
  }

  @Test("the next turn of a thread comes behind the one that was put aside")
  func nextTurn() throws {
    let path = try StorePath()
    _ = try interrupted(path, [.hang], calls: 0)
    let bench = try Bench([.answer("first"), .answer("second")], agent: Self.agent, path: path.path, isNew: false)
    try bench.tool("add") { _, _, _ in "1" }
    #expect(try bench.invoke("on").text == "second")
    #expect(bench.messages(1) == ["user: go", "assistant: first", "user: on"])
    bench.close()
  }

  @Test("a run that may not ask its model once more ends when it is gone on with, and does not stay behind")
  func exhausted() throws {
    let path = try StorePath()
    let first = try Bench([.hang], path: path.path)
    _ = try first.launch("go", request: #"{"limits":{"model_calls":1}}"#)
    try first.awaitQuestions(1)
    first.close()
    let bench = try Bench(path: path.path, isNew: false)
    try bench.driver.resume()
    try awaitEnd(bench, .failed)
    #expect(try bench.task()?.internalStatus == "limit_model_calls")
    #expect(try bench.task()?.owner == nil)
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test("of more runs than may be under way each is gone on with when there is a place for it")
  func places() throws {
    let path = try StorePath()
    let first = try Bench(path: path.path, model: ScriptedModel([], fallback: .hang))
    for number in 1...5 { _ = try first.launch("go", thread: "t\(number)") }
    try first.awaitQuestions(5)
    first.close()
    let bench = try Bench(path: path.path, flights: 2, isNew: false)
    try bench.driver.resume()
    for number in 1...5 {
      try awaitTrue("t\(number) has ended") { try bench.task("t\(number)")?.status == .completed }
    }
    bench.close()
  }

  @Test("a blocking invoke is not gone on with: nobody waits for it")
  func attended() throws {
    let path = try StorePath()
    let bench = try Bench([.hang], path: path.path)
    let interrupt = Interrupt()
    let run = Later { try bench.invoke("go", interrupt: interrupt) }
    try bench.awaitQuestions(1)
    interrupt.fire(.closing)
    #expect(throws: RunError.self) { try run.value() }
    #expect(try bench.task()?.internalStatus == "interrupted")
  }

  // MARK: - Approvals

  private static let gated = #"""
    {"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],
      "settings":{"hitl_options":{"title":"May I?","description":"It adds."}}}]}
    """#

  @Test("a call that needs approval waits for a person, across restarts, and is made once", arguments: [false, true])
  func approval(isFlight: Bool) throws {
    let path = try StorePath()
    let first = try Bench([Self.call], agent: Self.gated, path: path.path)
    try first.tool("add") { _, _, _ in "1" }
    if isFlight {
      let ear = try first.launch("go")
      guard case .task(let snapshot, nil)? = ear.end() else {
        Issue.record("\(ear.ends)")
        return
      }
      #expect(snapshot.task.status == .paused)
    } else {
      #expect(try first.invoke("go").task.status == .paused)
    }
    first.close()
    let bench = try Bench([.answer("done")], agent: Self.gated, path: path.path, isNew: false)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    try bench.driver.takeInventory()
    try bench.driver.resume()
    usleep(50_000)
    #expect(try bench.task()?.status == .paused)
    let request = try #require(try bench.driver.snapshot("t1", in: bench.organization)?.request)
    #expect(request.question == .approval)
    #expect(request.approval?["title"]?.string == "May I?")
    #expect(request.request.arguments.string == #"{"n":1}"#)
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    try awaitEnd(bench)
    #expect(tool.calls.count == 1)
    #expect(tool.calls.first?["repeat"]?.bool == false)
    #expect(try bench.journalProblem() == nil)
    bench.close()
  }

  @Test(
    "that a run goes on is on disk before a call that changes something, else a person's decision would be followed twice",
    arguments: [("{}", 2), (#"{"idempotent":true}"#, 2), (#"{"read_only":true}"#, 1)])
  func goesOnOnDisk(members: String, syncs: Int64) throws {
    let path = try StorePath()
    let bench = try Bench([Self.call, .answer("done")], agent: Self.gated, path: path.path)
    let store = bench.store
    let inCall = Counted()
    try bench.tool("add", members) { _, _, _ in
      inCall.value = store.writeCounts.syncs
      return "2"
    }
    #expect(try bench.invoke("go").task.status == .paused)
    let before = store.writeCounts.syncs
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    try awaitEnd(bench)
    #expect(inCall.value - before == syncs)
    bench.close()
  }

  private final class Counted: @unchecked Sendable { var value: Int64 = 0 }

  @Test("a call of a plane that is being closed has no result: it is made by who goes on")
  func closing() throws {
    let path = try StorePath()
    let first = try Bench([Self.call], agent: Self.agent, path: path.path)
    try first.tool("add") { _, _, _ in "1" }
    first.tools.beginClosing()
    _ = try first.launch("go")
    try awaitTrue("the answer is on record") { try first.task()?.sequence == 2 }
    first.close()
    #expect(try first.task()?.sequence == 2)
    #expect(try first.task()?.status == .pending)
  }

  @Test("a call that a person declines is not made, and the model is told why")
  func declined() throws {
    let bench = try Bench([Self.call, .answer("a pity")], agent: Self.gated)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    #expect(try bench.invoke("go").task.status == .paused)
    _ = try bench.driver.decide(
      "t1", in: bench.organization, request: nil, comment: "too dear", user: nil
    ) { _ in .decline }
    try awaitEnd(bench)
    #expect(tool.calls.isEmpty)
    #expect(bench.messages(1).last == "c0: A person declined this call: too dear")
    // It is decided once.
    guard
      case .notAsked = try bench.driver.decide(
        "t1", in: bench.organization, request: nil, comment: nil, user: nil, { _ in .proceed })
    else {
      Issue.record("decided twice")
      return
    }
    bench.close()
  }

  @Test("a task that waits for a person can be stopped")
  func stopPaused() throws {
    let bench = try Bench([Self.call], agent: Self.gated)
    try bench.tool("add") { _, _, _ in "2" }
    #expect(try bench.invoke("go").task.status == .paused)
    #expect(try bench.driver.stop("t1", in: bench.organization)?.task.status == .stopped)
    #expect(try bench.journalProblem() == nil)
  }

  /// The task as somebody was told who approves its call; nil when it waits for no decision.
  private func approve(_ bench: Bench) throws -> TaskRow? {
    let outcome = try bench.driver.decide(
      "t1", in: bench.organization, request: nil, comment: nil, user: nil, { _ in .proceed })
    if case .taken(let decided) = outcome { return decided.task }
    return nil
  }

  @Test("all of what a process keeps is looked at in turn")
  func kept() throws {
    let resumes = Resumes()
    #expect(resumes.kept(2).isEmpty)
    let bench = try Bench()
    let names = (0..<5).map { TaskName(bench.organization, "t\($0)") }
    for name in names {
      try bench.strand(name.taskID)
      resumes.keep(try #require(try bench.task(name.taskID)))
    }
    #expect(Set((0..<3).flatMap { _ in resumes.kept(2) }) == Set(names))
    for name in names { resumes.forget(name) }
    #expect(!resumes.isWatching && resumes.kept(2).isEmpty)
  }

  @Test("a decision counts when there is no place for the run, which goes on when one comes")
  func decidedWithoutPlace() throws {
    let bench = try Bench([Self.call, .hang, .answer("done")], agent: Self.gated, flights: 1)
    try bench.tool("add") { _, _, _ in "2" }
    #expect(try bench.invoke("go").task.status == .paused)
    let interrupt = Interrupt()
    let other = try bench.launch("wait", thread: "t2", interrupt: interrupt)
    try bench.awaitQuestions(2)
    #expect(try approve(bench)?.status == .pending)
    interrupt.fire(.cancelled)
    _ = other.end()
    try awaitEnd(bench)
    bench.close()
  }

  @Test(
    "a decision that somebody else takes is noticed by who goes on with the run, and left to them",
    arguments: [false, true])
  func decidedElsewhere(hasResumed: Bool) throws {
    let path = try StorePath()
    let bench = try Bench([Self.call, .answer("done")], agent: Self.gated, path: path.path)
    let tool = try bench.tool("add") { _, _, _ in "2" }
    if hasResumed { try bench.driver.resume() }
    _ = try bench.launch("go")
    try awaitEnd(bench, .paused)
    let other = try Bench(agent: Self.gated, path: path.path, isNew: false)
    #expect(try approve(other)?.status == .pending)
    try awaitEnd(bench)
    #expect(tool.calls.count == 1)
    #expect(other.model.requests.isEmpty)
    other.close()
    bench.close()
  }

  @Test("whoever follows a run that others have submitted stays beyond a pause")
  func followedBeyond() throws {
    let gated = #"""
      {"graph":[{"item_id":"look","type":"tool","sub_type":"local_tool"},{"item_id":"add","type":"tool",
        "sub_type":"local_tool","settings":{"hitl_options":{"title":"May I?"}}}]}
      """#
    let bench = try Bench([.calls([("look", "{}"), ("add", "{}")]), .answer("done")], agent: gated)
    try bench.tool("add") { _, _, _ in "2" }
    let look = try bench.tool("look") { _, _, _ in nil }
    let ear = try bench.launch("go")
    try awaitTrue("the tool is called") { look.calls.count == 1 }
    // It is there, live, when the pause comes.
    let reader = bench.follow()
    #expect(reader.read(most: 4))
    look.reply(look.calls.first?["call_id"]?.string ?? "", "1")
    guard case .task(let paused, nil)? = ear.end(), paused.task.status == .paused else {
      Issue.record("\(ear.ends)")
      return
    }
    #expect(reader.read(most: 6))
    #expect(reader.kinds.last == "paused 3")
    #expect(!reader.read(most: 7, seconds: 0.2))
    #expect(reader.end == nil)
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    #expect(reader.read())
    #expect(reader.finished?.text == "done")
    let past = bench.follow()
    #expect(past.read())
    #expect(reader.kinds == past.kinds)
    bench.close()
  }

  @Test("followers see the pause, the decision, the call and the end, without a gap")
  func followed() throws {
    let bench = try Bench([Self.call, .answer("done")], agent: Self.gated)
    try bench.tool("add") { _, _, _ in "2" }
    let ear = try bench.launch("go")
    let submitter = Reader(try #require(ear.follower))
    #expect(submitter.read())
    #expect(submitter.kinds == ["created 1", "updated 1.1.0", "asked add 2.0.1", "paused 2"])
    let reader = bench.follow()
    #expect(reader.read(most: 4))
    _ = try bench.driver.decide("t1", in: bench.organization, request: nil, comment: nil, user: nil) { _ in .proceed }
    #expect(reader.read())
    #expect(
      reader.kinds == [
        "created 1", "updated 1.1.0", "asked add 2.0.1", "paused 2", "updated 3", "updated 4", "returned add 5",
        "chunk 5",
        "finished 6",
      ])
    bench.close()
  }
}

extension Bench {
  /// What the journal of the thread `t1` says against its row; nil when they agree.
  func journalProblem() throws -> String? {
    let task = try #require(try task())
    var check = JournalCheck()
    for sequence in 1...task.sequence {
      if let record = try store.record(sequence, of: task) { check.take(record) }
    }
    return check.problem(with: task)
  }
}
