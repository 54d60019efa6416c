import MusterHTTP
import MusterJSON
import MusterModels
import MusterSystem
import TestSupport
import Testing

/// Conversations with a server that refuses what providers refuse.
@Suite("Tools over HTTP")
final class ToolConversationTests {
  private let server: ModelServer
  private let loop = HTTPLoop()
  private let client: any ModelClient

  init() throws {
    server = try ModelServer.shared.get()
    client = OpenAIChatClient(http: HTTPClient(), loop: loop)
  }

  deinit { loop.close() }

  private func answer(_ model: String, _ messages: [ModelMessage], isStreamed: Bool) throws -> ModelAnswer {
    let request = question(model, endpoint(server.base), messages, tools: [tool(), tool("other")])
    guard isStreamed else {
      return try client.ask(request, deadline: .after(milliseconds: 20_000), interrupt: Interrupt(), tick: nil)
    }
    let listener = Listener()
    _ = try client.start(request, deadline: .after(milliseconds: 20_000), listener)
    return try listener.answer()
  }

  /// Asks until there is an answer without calls; each call gets its own arguments for a result, the last one first.
  private func converse(_ model: String, isStreamed: Bool) throws -> (calls: [String], texts: [String]) {
    var messages: [ModelMessage] = [.text(.user, .string("hello"))]
    var lines: [String] = []
    var texts: [String] = []
    for _ in 0..<5 {
      let answer = try answer(model, messages, isStreamed: isStreamed)
      texts.append(answer.text.string ?? "?")
      if answer.calls.isEmpty { break }
      #expect(answer.finishReason == "tool_calls")
      lines += answer.calls.map { line($0) }
      messages.append(.calls(text: answer.text, answer.calls, opaque: answer.opaque))
      messages += answer.calls.reversed().map { .result(callID: $0.id, content: $0.arguments) }
    }
    return (lines, texts)
  }

  @Test(
    "a model that asks for tools gets what came of them, and answers",
    arguments: [
      (
        "call:look_up:{\"q\":\"é: #\"}", [#"call_1_1 look_up "{\"q\":\"é: #\"}""#],
        ["", #"The tool said: {"q":"é: #"}"#]
      ),
      (
        "call:look_up*3:{\"n\":#}",
        [
          #"call_1_1 look_up "{\"n\":1}""#, #"call_1_2 look_up "{\"n\":2}""#, #"call_1_3 look_up "{\"n\":3}""#,
        ], ["", #"The tool said: {"n":3} | {"n":2} | {"n":1}"#]
      ),
      ("saycall:other", [#"call_1_1 other "{}""#], ["I ask other. ", "The tool said: {}"]),
      // What no tool is called, and what is no JSON, can be told to the model, too.
      ("call:a.b", [#"call_1_1 a.b "{}""#], ["", "The tool said: {}"]),
      (
        "badcall:look_up", [#"call_1_1 look_up "{\"cut\":\"in the mid""#, #"call_3_1 look_up "{}""#],
        ["", "", "The tool said: {}"]
      ),
      // The server refuses a conversation without its reasoning and signatures.
      (
        "think:look_up", [#"call_1_1 look_up "{}" {"extra_content":{"google":{"thought_signature":"c2lnbmVk+/="}}}"#],
        ["", "The tool said: {}"]
      ),
    ], [false, true])
  func conversation(_ expected: (model: String, calls: [String], texts: [String]), isStreamed: Bool) throws {
    let heard = try converse(expected.model, isStreamed: isStreamed)
    #expect(heard.calls == expected.calls)
    #expect(heard.texts == expected.texts)
  }

  @Test("a model may ask for ever", arguments: [false, true])
  func loop(isStreamed: Bool) throws {
    let heard = try converse("loop:look_up", isStreamed: isStreamed)
    #expect(heard.calls.count == 5)
    #expect(Set(heard.calls).count == 5)
  }

  @Test("a conversation that lacks a result is refused, and told as such", arguments: [false, true])
  func unanswered(isStreamed: Bool) throws {
    let call = ModelToolCall(id: "a", name: "look_up", arguments: .literal(#""{}""#))
    let messages: [ModelMessage] = [.text(.user, .string("hello")), .calls(text: nil, [call], opaque: nil)]
    do {
      _ = try answer("echo", messages, isStreamed: isStreamed)
      Issue.record("the server takes it")
    } catch let failure as ModelFailure {
      #expect(failure.kind == .http)
      #expect(failure.httpStatus == 400)
      #expect(!failure.isTransient)
      #expect(failure.message.contains("must be followed by tool messages"))
    }
  }
}
