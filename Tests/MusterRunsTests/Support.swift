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

/// A value from a text that must be JSON.
func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

/// A driver on a store, with a scripted model and one agent.
final class Bench: @unchecked Sendable {
  static let agentID = "agent-1"

  let store: Store
  /// Unused by a bench that streams.
  let model: ScriptedModel
  let driver: RunDriver
  let tools = ToolRegistry(threads: 16, log: .none)
  let organization: String
  let document: JSON

  /// - Parameter document: members of the agent's document that are not the usual ones.
  init(
    _ steps: [ScriptedModel.Step] = [], agent document: String = "{}", path: String = ":memory:",
    tickMilliseconds: Int64 = 20, busyTimeoutMilliseconds: Int64 = 5_000, model: ScriptedModel? = nil,
    streams: (any ModelClient)? = nil, flights: Int64 = 20_000, log: Log = .none, isNew: Bool = true,
    offersAllTools: Bool = false, parallelToolCalls: Int = 8, prices: [ModelPrice] = []
  ) throws {
    store = try StoreRegistry.open(path: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    self.model = model ?? ScriptedModel(steps, tickMilliseconds: tickMilliseconds)
    driver = RunDriver(
      store: store, models: streams ?? self.model, tools: tools,
      settings: .init(
        isDurable: false, defaultProvider: "openai", defaultBase: nil, flights: flights,
        offersAllTools: offersAllTools, prices: prices, parallelToolCalls: parallelToolCalls), log: log)
    organization = store.firstOrganizationID
    let usual = try json(
      """
      {"model_provider":"openai_compatible","model_name":"m","llm_api_base":"http://127.0.0.1:9/v1",\
      "llm_reasoning_effort":"medium","output_format":"markdown"}
      """)
    self.document = usual.setting(try json(document).members.map { ($0.key, $0.value) })
    if isNew {
      let now = Timestamp.now()
      try store.insertAgent(
        AgentRow(
          organizationID: organization, id: Bench.agentID, revision: 1, version: 2, createdAt: now, updatedAt: now,
          document: Array(self.document.bytes), secrets: nil), durable: false)
    }
  }

  deinit { StoreRegistry.close(store) }

  /// Ends what is under way, as the end of a plane does.
  func close() {
    driver.beginClosing()
    tools.beginClosing()
    driver.close()
    tools.close()
    driver.putAsideKept()
  }

  func invocation(
    _ text: String, thread: String = "t1", request: String = "{}", agentID: String = Bench.agentID,
    secrets: String? = nil
  ) throws -> Invocation {
    let body = try json(request).setting([("input", JSON.trusted(Array(#"{"text":\#(quoted(text))}"#.utf8)))])
    return Invocation(
      organizationID: organization, agentID: agentID, agentVersion: "2", requestedVersion: nil,
      agent: AgentConfiguration(document: document, secrets: try secrets.map(json)), taskID: thread, request: body,
      network: .open)
  }

  private func quoted(_ text: String) -> String { String(decoding: JSON.string(text).bytes, as: UTF8.self) }

  @discardableResult
  func invoke(
    _ text: String, thread: String = "t1", request: String = "{}", secrets: String? = nil, milliseconds: Int64 = 20_000,
    interrupt: Interrupt = Interrupt()
  ) throws -> TaskSnapshot {
    try driver.invoke(
      try invocation(text, thread: thread, request: request, secrets: secrets),
      deadline: .after(milliseconds: milliseconds), interrupt: interrupt)
  }

  /// What the model was shown at its n-th question, from 0.
  func messages(_ question: Int) -> [String] {
    let requests = model.requests
    guard question < requests.count else { return [] }
    return requests[question].messages.map { message in
      switch message {
      case .text(let role, let content): return "\(role.word): \(content.string ?? "?")"
      case .calls(let text, let calls, _):
        return "calls: \(text?.string ?? "")\(calls.map { "\($0.id) \($0.name) \($0.arguments.string ?? "?")" })"
      case .result(let id, let content): return "\(id): \(content.string ?? "?")"
      }
    }
  }

  func task(_ id: String = "t1") throws -> TaskRow? {
    if case .found(let row) = try store.task(id, in: organization) { row } else { nil }
  }

  /// Waits until the model has been asked so often.
  func awaitQuestions(_ count: Int) throws {
    try awaitTrue("the model is asked \(count) times") { self.model.requests.count >= count }
  }

  /// Writes the beginning of a turn that nobody runs.
  func strand(_ id: String, kind: Int64 = 1, body: String? = nil) throws {
    let beginning = Beginning(
      agentVersion: "2", requestedVersion: nil, request: try json(#"{"input":{"text":"x"}}"#), provider: "openai",
      model: "m", host: nil, reasoningEffort: nil, format: .text, schema: nil, system: .none, historyFromTurn: nil,
      attempts: 3, repairs: 1, network: "open")
    let entry = JournalEntry(
      kind: kind, format: 1, time: .now(), role: .user,
      body: body.map { Array($0.utf8) } ?? Array(beginning.json.bytes),
      commands: Array(Command.json([.askModel(attempt: 1, repair: nil)]).bytes))
    let start = TurnStart(
      organizationID: organization, taskID: id, agentID: Bench.agentID, title: nil, userID: nil, parentID: nil,
      triggeringAgentID: nil, carriesSystemMessage: false, entry: entry, afterSequence: 0)
    guard case .begun = try store.beginTurn(start, durable: false) else {
      Issue.record("the turn of \(id) did not begin")
      return
    }
  }
}

extension TaskSnapshot {
  var text: String? { result?.string }
}

/// Another process that holds the write lock of a store's file until it is told to let go.
final class WriteLockHolder {
  private let process = Process()
  private let input = Pipe()

  init(_ path: String) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      """
      import sqlite3, sys
      c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
      c.execute("BEGIN IMMEDIATE")
      print("held", flush=True)
      sys.stdin.readline()
      c.execute("ROLLBACK")
      """, path,
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let answer = output.fileHandleForReading.availableData
    #expect(String(decoding: answer, as: UTF8.self).hasPrefix("held"))
  }

  func release() {
    input.fileHandleForWriting.write(Data("\n".utf8))
    process.waitUntilExit()
  }
}

extension Later {
  /// The error that it ended with; nil when it gave a value.
  func error() throws -> RunError? { try error(RunError.self) }
}
