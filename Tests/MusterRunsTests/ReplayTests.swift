import Foundation
import MusterEngine
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns
@testable import MusterStore

@Suite("Replaying a task")
struct ReplayTests {
  private func replay(_ bench: Bench, _ id: String = "t1") throws -> Replay {
    try #require(
      try bench.driver.replay(
        id, in: bench.organization, deadline: .after(milliseconds: 20_000), interrupt: Interrupt()))
  }

  private func damage(_ bench: Bench, _ sql: String) throws {
    try bench.store.write(owed: false) { (database) throws(StoreError) in try database.execute(sql) }
  }

  /// A record of the thread `t1`, in SQL.
  private func key(_ sequence: Int) -> String { "(SELECT key << 28 | \(sequence) FROM tasks WHERE id = 't1')" }

  /// What is said of an event, without what depends on who is asked.
  private func told(_ events: [TaskEvent]) -> [String] {
    events.map { event in
      var words = "\(event.position.text) \(event.time.microseconds) "
      switch event.content {
      case .created(let snapshot), .updated(let snapshot), .finished(let snapshot):
        words += "\(snapshot.task.status) \(snapshot.result?.string ?? "-") \(snapshot.task.internalStatus ?? "-")"
      case .chunk(let text): words += String(decoding: text, as: UTF8.self)
      case .toolAsked(let request, let id): words += "\(id) \(request.name) \(request.arguments.string ?? "-")"
      case .agentTriggered(let agent, let id, let query): words += "\(id) \(agent) \(query?.string ?? "-")"
      case .toolReturned(_, let id, let returned):
        words += "\(id) \(String(decoding: returned.result.bytes, as: UTF8.self))"
      }
      return words
    }
  }

  @Test("a turn that others have followed tells its sub-tasks and its agents as it did")
  func earlierTurn() throws {
    let ask: ScriptedModel.Step = .calls([("ann", #"{"task":"add"}"#)])
    let bench = try Bench(
      [ask, .answer("3"), .answer("one"), ask, .answer("4"), .answer("two")],
      agent: #"{"graph":[{"item_id":"ann","type":"agent","targets":[]}],"sub_agents_continuous_thread":false}"#)
    try bench.lead([("ann", "{}")])
    var lives: [TaskSnapshot] = []
    for _ in 0..<2 {
      let reader = Reader(try #require(try bench.launch("go").follower))
      #expect(reader.read())
      #expect(reader.kinds.contains { $0.hasPrefix("triggered ann") })
      lives.append(try #require(reader.finished))
    }
    #expect(lives.map { $0.subtasks.count } == [1, 2])
    let replayed = try replay(bench).events.compactMap { event -> TaskSnapshot? in
      if case .finished(let snapshot) = event.content { snapshot } else { nil }
    }
    #expect(
      replayed.map { $0.subtasks.map { "\($0.id) \($0.status)" } }
        == lives.map { $0.subtasks.map { "\($0.id) \($0.status)" } })
    bench.close()
  }

  @Test("asks no model and no tool, and gives the events that a follower gets")
  func same() throws {
    let call: ScriptedModel.Step = .calls([("add", #"{"n":1}"#), ("add", #"{"n":"x"}"#), ("none", "{}")])
    let bench = try Bench(
      [call, .answer("no JSON"), .answer("1"), call, .fail(.transient()), .answer("2"), .fail(.permanent)],
      agent: #"{"tools":["add"],"instructions":{"general":"Be brief."}}"#)
    let tool = try bench.tool("add") { _, _, _ in #"{"sum":2}"# }
    try bench.invoke("one", request: #"{"output_format":"json"}"#)
    try bench.invoke("two")
    try bench.invoke("three")
    let (questions, calls) = (bench.model.requests.count, tool.calls.count)
    #expect((questions, calls) == (7, 2))
    let replay = try replay(bench)
    #expect((bench.model.requests.count, tool.calls.count) == (questions, calls))
    #expect(replay.isIdentical)
    #expect(replay.turns == 3)
    #expect(replay.records == (try bench.task()?.sequence))
    #expect(replay.compared == replay.records)
    let reader = bench.follow()
    #expect(reader.read())
    #expect(reader.events.count > 12)
    #expect(told(replay.events) == told(reader.events))
  }

  @Test("a run that was put aside is replayed as far as it came")
  func unfinished() throws {
    let bench = try Bench(
      [.calls([("add", "{}")])],
      agent: #"""
        {"graph":[{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],
          "settings":{"hitl_options":{"title":"May I?"}}}]}
        """#)
    try bench.tool("add") { _, _, _ in "1" }
    #expect(try bench.invoke("go").task.status == .paused)
    let replay = try replay(bench)
    #expect(replay.isIdentical)
    #expect(replay.records == 2)
    #expect(replay.task.status == .paused)
  }

  @Test("the first record from which something else follows now is named; the rest goes by what is recorded")
  func difference() throws {
    let bench = try Bench([.fail(.transient()), .answer("one")])
    try bench.invoke("go")
    let before = told(try replay(bench).events)
    let recorded = #"[{"wait":{"milliseconds":7}}]"#
    try damage(bench, "UPDATE journal SET commands = '\(recorded)' WHERE key = \(key(2))")
    let replay = try replay(bench)
    let difference = try #require(replay.difference)
    #expect(difference.sequence == 2)
    #expect(difference.turn == 1)
    #expect(String(decoding: difference.recorded.bytes, as: UTF8.self) == recorded)
    #expect(String(decoding: difference.made.bytes, as: UTF8.self) != recorded)
    #expect(difference.made.elements.first?["wait"] != nil)
    #expect(!replay.isIdentical)
    #expect(replay.problem == nil)
    #expect(told(replay.events) == before)
  }

  @Test("a turn of an older version of the engine goes by its recorded commands, and is not compared")
  func older() throws {
    let bench = try Bench([.answer("one"), .answer("two")])
    try bench.invoke("go")
    try bench.invoke("on")
    try damage(
      bench,
      """
      UPDATE journal SET body = json_set(body, '$.engine', 1), commands = '[{"ask_model":{"attempt":2}}]'
      WHERE key = \(key(1))
      """)
    let replay = try replay(bench)
    #expect(replay.isIdentical)
    #expect(replay.records == 4)
    #expect(replay.compared == 2)
  }

  @Test(
    "what is wrong with the journal is said",
    arguments: [
      ("DELETE FROM journal WHERE key = KEY", "record 3 is missing"),
      (#"UPDATE journal SET kind = 99 WHERE key = KEY"#, "record 3: event of kind 99"),
      ("UPDATE tasks SET status = 4", "the row says error"),
    ])
  func damaged(sql: String, problem: String) throws {
    let bench = try Bench([.answer("one"), .answer("two")])
    try bench.invoke("go")
    try bench.invoke("on")
    try damage(bench, sql.replacing("KEY", with: key(3)))
    let replay = try replay(bench)
    #expect(replay.problem?.contains(problem) == true, "\(replay.problem ?? "none")")
    #expect(!replay.isIdentical)
  }

  @Test("a call that is given up, or has no time, ends; a task that is not there is none")
  func ends() throws {
    let bench = try Bench([.answer("one")])
    try bench.invoke("go")
    let interrupt = Interrupt()
    #expect(
      try bench.driver.replay("no", in: bench.organization, deadline: .never, interrupt: interrupt) == nil)
    #expect(throws: RunError.self) {
      _ = try bench.driver.replay(
        "t1", in: bench.organization, deadline: .after(milliseconds: 0), interrupt: interrupt)
    }
    interrupt.fire(.cancelled)
    #expect(throws: RunError.self) {
      _ = try bench.driver.replay("t1", in: bench.organization, deadline: .never, interrupt: interrupt)
    }
  }
}
