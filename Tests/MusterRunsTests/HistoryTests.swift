import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Calls of earlier turns that the model is shown")
struct HistoryTests {
  private static func agent(_ settings: String) -> String { #"{"tools":["add"],"agno_settings":\#(settings)}"# }

  /// Two turns with a call, one with two calls in one answer, one without any, and the question of one more.
  private func shown(_ settings: String) throws -> [String] {
    let one: ScriptedModel.Step = .calls([("add", #"{"n":1}"#)])
    let two: ScriptedModel.Step = .calls([("add", #"{"n":2}"#), ("add", #"{"n":3}"#)])
    let bench = try Bench(
      [one, .answer("A"), two, .answer("B"), .answer("C"), .answer("D")], agent: Self.agent(settings))
    try bench.tool("add") { _, _, arguments in "\(arguments["n"]?.int64 ?? 0)" }
    for text in ["a", "b", "c"] { try bench.invoke(text) }
    try bench.invoke("d")
    #expect(try bench.journalProblem() == nil)
    return bench.messages(5)
  }

  private static let last = ["user: c", "assistant: C", "user: d"]
  private static let first = ["user: a", #"calls: ["c0 add {\"n\":1}"]"#, "c0: 1", "assistant: A"]
  private static let second = [
    "user: b", #"calls: ["c0 add {\"n\":2}", "c1 add {\"n\":3}"]"#, "c0: 2", "c1: 3", "assistant: B",
  ]

  @Test("are all of the turns that it sees, unless the agent says otherwise")
  func all() throws {
    #expect(try shown("{}") == Self.first + Self.second + Self.last)
    #expect(try shown(#"{"max_tool_calls_from_history":0}"#) == Self.first + Self.second + Self.last)
    #expect(try shown(#"{"num_history_runs":2}"#) == Self.second + Self.last)
    #expect(try shown(#"{"num_history_runs":0}"#) == ["user: d"])
    #expect(try shown(#"{"session_storage":false}"#) == ["user: d"])
  }

  @Test("are the last ones of as many as the agent says, each with its result")
  func some() throws {
    #expect(try shown(#"{"max_tool_calls_from_history":9}"#) == Self.first + Self.second + Self.last)
    #expect(
      try shown(#"{"max_tool_calls_from_history":2}"#) == ["user: a", "assistant: A"] + Self.second + Self.last)
    #expect(
      try shown(#"{"max_tool_calls_from_history":1}"#) == [
        "user: a", "assistant: A", "user: b", #"calls: ["c1 add {\"n\":3}"]"#, "c1: 3", "assistant: B",
      ] + Self.last)
  }

  @Test("are none of turns without an answer, and none where the agent has no tools any more")
  func left() throws {
    let call: ScriptedModel.Step = .calls([("add", "{}")])
    let path = try StorePath()
    let bench = try Bench(
      [call, .fail(.permanent), call, .answer("B"), .answer("C")], agent: Self.agent("{}"), path: path.path)
    try bench.tool("add") { _, _, _ in "1" }
    for text in ["a", "b", "c"] { try bench.invoke(text) }
    #expect(bench.messages(4) == ["user: b", #"calls: ["c0 add {}"]"#, "c0: 1", "assistant: B", "user: c"])
    let bare = try Bench([.answer("D")], path: path.path, isNew: false)
    try bare.invoke("d")
    #expect(bare.messages(0) == ["user: b", "assistant: B", "user: c", "assistant: C", "user: d"])
  }

  @Test("are those that the turn began with, whatever the agent says when it is gone on with")
  func pinned() throws {
    let path = try StorePath()
    let call: ScriptedModel.Step = .calls([("add", "{}")])
    let first = try Bench(
      [call, .answer("A"), call, .answer("B"), .hang], agent: Self.agent(#"{"max_tool_calls_from_history":1}"#),
      path: path.path)
    try first.tool("add") { _, _, _ in "1" }
    for text in ["a", "b"] { try first.invoke(text) }
    _ = try first.launch("c")
    try first.awaitQuestions(5)
    let asked = first.messages(4)
    first.close()
    let bench = try Bench([.answer("C")], path: path.path, isNew: false)
    try bench.tool("add") { _, _, _ in "1" }
    try bench.driver.resume()
    try awaitTrue("the task ends") { try bench.task()?.status == .completed }
    #expect(bench.messages(0) == asked)
    #expect(asked.count == 7)
    bench.close()
  }

  @Test("come with what only their model understands, for that model alone")
  func opaque() throws {
    let answer = ModelAnswer(
      text: .string(""), finishReason: "tool_calls", model: "m", promptTokens: 0, completionTokens: 0,
      hasUsage: false,
      calls: [
        ModelToolCall(id: "c0", name: "add", arguments: .string("{}"), opaque: try json(#"{"signature":"s"}"#))
      ], opaque: try json(#"{"reasoning":"r"}"#))
    let bench = try Bench([.whole(answer)], agent: Self.agent("{}"))
    try bench.tool("add") { _, _, _ in "1" }
    for request in ["{}", "{}", #"{"llm_model_name":"other"}"#] { try bench.invoke("go", request: request) }
    func opaque(_ question: Int) -> [Bool] {
      bench.model.requests[question].messages.compactMap { message in
        guard case .calls(_, let calls, let opaque) = message else { return nil }
        return opaque != nil && calls.allSatisfy { $0.opaque != nil }
      }
    }
    #expect(bench.model.requests.count == 4)
    #expect(opaque(2) == [true])
    #expect(opaque(3) == [false])
  }
}
