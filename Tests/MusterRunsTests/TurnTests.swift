import MusterEngine
import MusterHTTP
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Turns of a thread")
struct TurnTests {
  /// The first text that the model was shown at a question, as it was sent.
  private func bytes(_ bench: Bench, question: Int) throws -> String {
    guard case .text(_, let content) = bench.model.requests[question].messages[0] else { return "" }
    return String(decoding: content.bytes, as: UTF8.self)
  }

  static let prompting = #"{"instructions":{"general":"Be brief.","role":["a cook"],"goal":["food",""]}}"#

  @Test("a turn gives its task, completed, with the answer and what was counted", arguments: [true, false])
  func completes(inFile: Bool) throws {
    let path = try StorePath()
    let bench = try Bench(
      [.answer("hi \u{e9}\n\"q\"", prompt: 7, completion: 2, hasUsage: true)], path: inFile ? path.path : ":memory:")
    let snapshot = try bench.invoke("hello")
    #expect(snapshot.task.status == .completed)
    #expect(snapshot.text == "hi \u{e9}\n\"q\"")
    #expect(snapshot.task.promptTokens == 7)
    #expect(snapshot.task.completionTokens == 2)
    #expect(snapshot.task.startedAt != nil && snapshot.task.finishedAt != nil)
    #expect(snapshot.task.owner == nil)
    #expect(bench.messages(0) == ["user: hello"])
    #expect(try bench.task()?.status == .completed)
  }

  @Test("tokens that no server counted stay unknown")
  func uncounted() throws {
    let bench = try Bench()
    #expect(try bench.invoke("hello").task.promptTokens == nil)
  }

  @Test("the next turn sees the earlier ones, the system message first")
  func history() throws {
    let bench = try Bench([.answer("one!"), .answer("two!")], agent: TurnTests.prompting)
    try bench.invoke("one")
    let second = try bench.invoke("two")
    #expect(second.task.turn == 2)
    let system = "system: Be brief.\n\nYour role:\n- a cook\n\nYour goals:\n- food"
    #expect(bench.messages(0) == [system, "user: one"])
    #expect(bench.messages(1) == [system, "user: one", "assistant: one!", "user: two"])
  }

  @Test("prompts and answers reach the model with the bytes with which they came")
  func bytes() throws {
    let bench = try Bench()
    _ = try bench.driver.invoke(
      Invocation(
        organizationID: bench.organization, agentID: Bench.agentID, agentVersion: "2", requestedVersion: nil,
        agent: AgentConfiguration(document: bench.document, secrets: nil), taskID: "t1",
        request: try json(#"{"input":{"text":"caf\u00e9 \/"}}"#), network: .open), deadline: .never,
      interrupt: Interrupt())
    try bench.invoke("again")
    #expect(try bytes(bench, question: 0) == #""caf\u00e9 \/""#)
    #expect(try bytes(bench, question: 1) == #""caf\u00e9 \/""#)
  }

  @Test("the window of num_history_runs is what the model gets to see", arguments: [(0, 0), (1, 1), (2, 2), (9, 3)])
  func window(runs: Int, seen: Int) throws {
    let bench = try Bench(agent: #"{"agno_settings":{"session_storage":true,"num_history_runs":\#(runs)}}"#)
    for turn in 1...4 { try bench.invoke("p\(turn)") }
    let expected = (1...4).dropLast().suffix(seen).flatMap { ["user: p\($0)", "assistant: ok"] } + ["user: p4"]
    #expect(bench.messages(3) == expected)
  }

  @Test("without session storage a turn sees no other")
  func withoutStorage() throws {
    let bench = try Bench(agent: #"{"agno_settings":{"session_storage":false,"num_history_runs":3}}"#)
    try bench.invoke("one")
    try bench.invoke("two")
    #expect(bench.messages(1) == ["user: two"])
  }

  @Test("turns that gave no answer are left out of the history")
  func failedTurns() throws {
    let refusal = ModelFailure(kind: .refused, message: "the model refused")
    let bench = try Bench([.answer("1!"), .fail(.permanent), .fail(refusal), .answer("4!")])
    let statuses = try (1...4).map { try bench.invoke("\($0)").task.status }
    #expect(statuses == [.completed, .error, .failed, .completed])
    #expect(bench.messages(3) == ["user: 1", "assistant: 1!", "user: 4"])
    #expect(try bench.task()?.internalStatus == nil)
  }

  @Test("the system message is stored once and referenced as long as it is the same")
  func systemOnce() throws {
    let bench = try Bench(agent: TurnTests.prompting)
    try bench.invoke("one")
    try bench.invoke("two")
    try bench.invoke("three", request: #"{"additional_context":"It rains."}"#)
    try bench.invoke("four", request: #"{"additional_context":"It rains."}"#)
    let task = try #require(try bench.task())
    let records = try bench.store.messages(of: task, fromTurn: 1).filter { $0.role == .user }
    let carried = records.map { JSON.trusted($0.body)["system"] != nil }
    #expect(carried == [true, false, true, false])
    #expect(JSON.trusted(records[1].body)["system_record"]?.int64 == records[0].sequence)
    #expect(JSON.trusted(records[3].body)["system_record"]?.int64 == records[2].sequence)
    #expect(bench.messages(1).first == bench.messages(0).first)
    #expect(bench.messages(3).first?.hasSuffix("It rains.") == true)
  }

  @Test("what a request adds stands behind the agent's instructions")
  func additions() throws {
    let bench = try Bench(agent: #"{"instructions":{"general":"G"},"expected_output":"agent's"}"#)
    try bench.invoke(
      "x", request: #"{"instructions_override":"I","additional_context":"A","expected_output":"request's"}"#)
    try bench.invoke("y", thread: "t2")
    #expect(bench.messages(0).first == "system: G\n\nI\n\nExpected output: request's\n\nA")
    #expect(bench.messages(1).first == "system: G\n\nExpected output: agent's")
  }

  @Test("an agent that says nothing sends no system message")
  func noSystem() throws {
    let bench = try Bench(agent: #"{"instructions":{"general":"","role":[""],"goal":[]}}"#)
    try bench.invoke("x")
    #expect(bench.messages(0) == ["user: x"])
  }

  @Test("a schema of the request asks for JSON in its form; one of the agent only where the format is json")
  func schemas() throws {
    let bench = try Bench(
      [.answer("{}"), .answer("{}"), .answer("x")], agent: #"{"output_schema":{"type":"object"}}"#)
    try bench.invoke("x", request: #"{"output_schema":{"type":["object","null"]}}"#)
    try bench.invoke("x", thread: "t2", request: #"{"output_format":"json"}"#)
    try bench.invoke("x", thread: "t3")
    let schemas = bench.model.requests.map { request -> String? in
      guard case .json(let schema) = request.format else { return nil }
      return schema.map { String(decoding: $0.bytes, as: UTF8.self) }
    }
    #expect(schemas == [#"{"type":["object","null"]}"#, #"{"type":"object"}"#, nil])
    #expect(bench.messages(0).first?.hasPrefix("system: Answer with JSON only") == true)
  }

  @Test("an answer that does not match goes back to the model behind the prompt")
  func repair() throws {
    let bench = try Bench([.answer("sorry"), .answer(#"{"a":1}"#)])
    let snapshot = try bench.invoke("x", request: #"{"output_format":"json","output_schema":{"required":["a"]}}"#)
    #expect(snapshot.task.status == .completed)
    #expect(snapshot.text == #"{"a":1}"#)
    let roles = bench.messages(1).map { String($0.prefix { $0 != ":" }) }
    #expect(roles == ["system", "user", "assistant", "user"])
    #expect(bench.messages(1)[2] == "assistant: sorry")
    let task = try #require(try bench.task())
    #expect(try bench.store.messages(of: task, fromTurn: 1).count == 2)
  }

  @Test("model and reasoning effort of the request win; an effort is sent only where one was chosen")
  func overrides() throws {
    let bench = try Bench()
    try bench.invoke("x", request: #"{"llm_model_name":"big","llm_reasoning_effort":"medium"}"#)
    try bench.invoke("x", thread: "t2")
    let high = try Bench(agent: #"{"llm_reasoning_effort":"high"}"#)
    try high.invoke("x")
    #expect(bench.model.requests.map { $0.model } == ["big", "m"])
    #expect(bench.model.requests.map { $0.reasoningEffort } == ["medium", nil])
    #expect(high.model.requests.first?.reasoningEffort == "high")
  }

  @Test("address, key and headers of an agent are used for its own provider only")
  func keyAndBase() throws {
    let bench = try Bench(agent: #"{"llm_extra_headers":{"X-Team":"blue-team"}}"#)
    let secrets = #"{"/llm_credentials/value":"sk-agent-secret"}"#
    try bench.invoke("x", secrets: secrets)
    let own = try #require(bench.model.requests.first?.endpoint)
    #expect(own.base == "http://127.0.0.1:9/v1")
    #expect(own.key == "sk-agent-secret")
    #expect(own.extraHeaders.count == 1)
    // Without a key of the plane the other provider cannot be asked at all; with one it gets that.
    let other = try bench.invoke("x", thread: "t2", request: #"{"llm_model_provider":"openai"}"#, secrets: secrets)
    for request in bench.model.requests.dropFirst() {
      #expect(request.endpoint.base != own.base)
      #expect(request.endpoint.key != own.key)
      #expect(request.endpoint.extraHeaders.isEmpty)
    }
    if bench.model.requests.count == 1 { #expect(other.task.internalStatus == "model_not_configured") }
  }

  @Test("no key, and nothing of what an agent sends along, is in the journal or in the log")
  func secretsStayOut() throws {
    let lines = Lines()
    let bench = try Bench(
      [.fail(.permanent)], agent: #"{"llm_extra_headers":{"X-Token":"header-secret"}}"#,
      log: Log { _, _, message in lines.add(message) })
    try bench.invoke("x", secrets: #"{"/llm_credentials/value":"sk-agent-secret"}"#)
    let task = try #require(try bench.task())
    let records = try bench.store.recordsOfTurn(task)
    #expect(records.count == 2)
    let journal = records.map { String(decoding: $0.body + $0.commands, as: UTF8.self) }
    for text in journal + lines.all {
      #expect(!text.contains("sk-agent-secret"))
      #expect(!text.contains("header-secret"))
    }
    #expect(!lines.all.isEmpty)
  }

  @Test("a task that belongs to another agent is not continued")
  func otherAgent() throws {
    let bench = try Bench()
    try bench.invoke("x")
    let foreign = try bench.invocation("y", agentID: "agent-2")
    #expect {
      _ = try bench.driver.invoke(foreign, deadline: .never, interrupt: Interrupt())
    } throws: { error in
      if case RunError.otherAgent = error { true } else { false }
    }
    #expect(try bench.task()?.turn == 1)
  }

  @Test("the title is the caller's, else the first eighty characters of the prompt")
  func titles() throws {
    let bench = try Bench()
    try bench.invoke("x", request: #"{"title":"Mine"}"#)
    #expect(try bench.task()?.title == "Mine")
    try bench.invoke(String(repeating: "\u{e9}", count: 200))
    #expect(try bench.task()?.title == String(repeating: "\u{e9}", count: 80))
  }
}

final class Lines: @unchecked Sendable {
  private let lock = Lock()
  private var lines: [String] = []
  func add(_ line: String) { lock.withLock { lines.append(line) } }
  var all: [String] { lock.withLock { lines } }
}
