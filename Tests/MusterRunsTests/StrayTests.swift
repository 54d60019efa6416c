import Foundation
import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Tasks that nobody runs any more")
struct StrayTests {
  @Test("a run whose end cannot be written is ended as soon as the store can be written again")
  func stray() throws {
    let path = try StorePath()
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "lost")], path: path.path, busyTimeoutMilliseconds: 100)
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    let holder = try WriteLockHolder(path.path)
    gate.open()
    guard case .store(.busy)? = try run.error() else {
      Issue.record("the store was not busy")
      return
    }
    #expect(try bench.task()?.status == .executing)
    bench.driver.endStrays()
    #expect(try bench.task()?.status == .executing)
    holder.release()
    bench.driver.endStrays()
    #expect(try bench.task()?.status == .error)
    #expect(try bench.task()?.internalStatus == "interrupted")
  }

  @Test("the next turn of the thread goes on behind such a run, also one that waited already")
  func turnBehindStray() throws {
    let path = try StorePath()
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "lost"), .answer("second")], path: path.path, busyTimeoutMilliseconds: 1_000)
    let first = Later { try bench.invoke("1") }
    try bench.awaitQuestions(1)
    let second = Later { try bench.invoke("2", milliseconds: 15_000) }
    Thread.sleep(forTimeInterval: 0.1)
    let holder = try WriteLockHolder(path.path)
    gate.open()
    _ = try first.error()
    holder.release()
    let snapshot = try second.value()
    #expect(snapshot.text == "second")
    #expect(snapshot.task.turn == 2)
    #expect(bench.messages(1) == ["user: 2"])
  }

  @Test("the next turn behind a run that still cannot be ended fails at once, and does not wait until its time is over")
  func turnBehindStayingStray() throws {
    let path = try StorePath()
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "lost")], path: path.path, busyTimeoutMilliseconds: 100)
    let first = Later { try bench.invoke("1") }
    try bench.awaitQuestions(1)
    let holder = try WriteLockHolder(path.path)
    gate.open()
    _ = try first.error()
    let second = Later { try bench.invoke("2", milliseconds: 20_000) }
    guard case .store(.busy)? = try second.error() else {
      Issue.record("the second turn did not say that the store is busy")
      return
    }
    holder.release()
    bench.driver.endStrays()
    #expect(try bench.task()?.internalStatus == "interrupted")
  }

  @Test("the inventory ends the tasks of dead owners, and no other")
  func inventory() throws {
    let path = try StorePath()
    do {
      let bench = try Bench(path: path.path)
      try bench.strand("dead-1")
      try bench.strand("dead-2")
      try bench.driver.takeInventory()
      // Its owner is this process, with this store open.
      #expect(try bench.task("dead-1")?.status == .executing)
      try bench.invoke("x", thread: "ended")
    }
    let bench = try Bench(path: path.path, isNew: false)
    try bench.strand("living")
    let ended = try bench.task("ended")
    try bench.driver.takeInventory()
    for id in ["dead-1", "dead-2"] {
      let task = try #require(try bench.task(id))
      #expect(task.status == .error)
      #expect(task.internalStatus == "interrupted")
      #expect(task.owner == nil)
      #expect(try bench.driver.snapshot(id, in: bench.organization)?.text?.contains("interrupted") == true)
    }
    #expect(try bench.task("living")?.status == .executing)
    #expect(try bench.task("ended")?.sequence == ended?.sequence)
  }

  @Test("a thread whose last turn died goes on with the next")
  func continueAfterDeath() throws {
    let path = try StorePath()
    do { try Bench(path: path.path).strand("t1") }
    let bench = try Bench(path: path.path, isNew: false)
    let snapshot = try bench.invoke("again")
    #expect(snapshot.task.turn == 2)
    #expect(bench.messages(0) == ["user: again"])
  }

  @Test(
    "a journal that cannot be read keeps no plane from opening and no task from ending",
    arguments: [(Int64(99), "{}"), (1, "{}"), (1, #"{"engine":7}"#)])
  func unreadable(kind: Int64, body: String) throws {
    let path = try StorePath()
    do {
      let bench = try Bench(path: path.path)
      try bench.strand("dead", kind: kind, body: body)
    }
    let bench = try Bench(path: path.path, isNew: false)
    try bench.driver.takeInventory()
    #expect(try bench.task("dead")?.status == .error)
    try bench.strand("own", kind: kind, body: body)
    #expect(try bench.driver.stop("own", in: bench.organization)?.task.status == .stopped)
  }

  @Test("a run that cannot read what it needs leaves no task behind as executing")
  func unreadableHistory() throws {
    let bench = try Bench([.answer("one")], agent: TurnTests.prompting)
    try bench.invoke("1")
    let task = try #require(try bench.task())
    var pump = RunPump(
      driver: bench.driver, begun: try begun(bench, task), deadline: .after(milliseconds: 5_000), interrupt: Interrupt()
    )
    #expect {
      _ = try pump.drive()
    } throws: { error in
      if case RunError.unreadable = error { true } else { false }
    }
    bench.driver.endStrays()
    #expect(try bench.task()?.status == .error)
  }

  /// A turn whose system message is said to be in a record that has none.
  private func begun(_ bench: Bench, _ known: TaskRow) throws -> BegunTurn {
    let beginning = Beginning(
      agentVersion: "2", requestedVersion: nil, request: try json(#"{"input":{"text":"2"}}"#),
      provider: "openai_compatible", model: "m", host: nil, reasoningEffort: nil, format: .text, schema: nil,
      system: .record(2), historyFromTurn: nil, attempts: 3, repairs: 1, network: "open")
    var run = Run()
    let commands = run.apply(.began(beginning), sequence: known.sequence + 1)
    let start = TurnStart(
      organizationID: bench.organization, taskID: known.id, agentID: Bench.agentID, title: nil, userID: nil,
      parentID: nil, triggeringAgentID: nil, carriesSystemMessage: false,
      entry: JournalCoding.entry(.began(beginning), commands: commands, role: .user, at: .now()),
      afterSequence: known.sequence)
    guard case .begun(let task, _) = try bench.store.beginTurn(start, durable: false) else { throw TooLate() }
    let agent = AgentConfiguration(document: try json("{}"), secrets: nil)
    return BegunTurn(task: task, run: run, agent: agent)
  }
}
