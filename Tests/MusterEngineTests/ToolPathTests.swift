import MusterJSON
import Testing

@testable import MusterEngine

@Suite("A turn with tools")
struct ToolPathTests {
  private func life(_ limits: Limits = Limits(), toolRepairs: Int64 = 3, price: Price? = nil) throws -> Life {
    Life(try beginning(tools: try someTools(), toolRepairs: toolRepairs, limits: limits, price: price))
  }

  @Test("the model is asked again when each call has its result, in whatever order they come")
  func order() throws {
    var life = try life()
    #expect(
      life.take(asks([("look", #"{"n":1}"#), ("pay", #"{"n":2}"#)])) == [
        .callTool(call: 0, .first), .callTool(call: 1, .first),
      ])
    #expect(life.take(try returned(1)).isEmpty)
    #expect(life.take(try returned(0)) == [.askModel(attempt: 1, repair: nil)])
    #expect(life.take(answer("done")) == [.finish(.init(status: .completed))])
  }

  @Test("a question that would cross a limit is not asked, also when an answer is to be put right")
  func limitedRepair() throws {
    for (input, output, limit) in [(nil, Int64(6), "limit_output_tokens"), (Int64(28), nil, "limit_input_tokens")] {
      var limits = Limits()
      limits.inputTokens = input
      limits.outputTokens = output
      var life = Life(try beginning(format: .json, repairs: 3, limits: limits))
      let commands = life.take(answer("no JSON", prompt: 27, completion: 6))
      guard case .finish(let finish)? = commands.first else {
        Issue.record("\(commands)")
        continue
      }
      #expect(finish.status == .failed && finish.internalStatus == limit)
    }
  }

  @Test("after a summary the question is not taken for as long as that of the summary was; what is used up is used up")
  func limitedSummary() throws {
    for (prompt, finished) in [(Int64(60), nil), (100, nil), (101, "limit_input_tokens")] {
      var limits = Limits()
      limits.inputTokens = 100
      let source = Delegated.Source(task: "t", turn: 1, sequence: 1)
      var life = Life(
        try beginning(limits: limits, delegated: Delegated(call: "c", depth: 1, memory: .summary(source))))
      let commands = life.take(answer("a summary", prompt: prompt, completion: 1))
      if let finished {
        #expect(life.finish?.internalStatus == finished)
        #expect(life.finish?.result != "a summary")
      } else {
        #expect(commands == [.askModel(attempt: 1, repair: nil)])
      }
    }
  }

  @Test("a result counts once, and only for a call that was asked for")
  func once() throws {
    var life = try life()
    _ = life.take(asks([("look", #"{"n":1}"#), ("look", #"{"n":2}"#)]))
    #expect(life.take(try returned(0)).isEmpty)
    #expect(life.take(try returned(0)).isEmpty)
    #expect(life.take(try returned(7)).isEmpty)
    #expect(life.take(try returned(-1)).isEmpty)
    #expect(life.take(answer("too early")).isEmpty)
    #expect(life.take(try returned(1)) == [.askModel(attempt: 1, repair: nil)])
    #expect(life.take(try returned(1)).isEmpty)
  }

  @Test(
    "arguments that do not fit never reach the tool: the model is told what is wrong, and the schema",
    arguments: [
      ("{}", "n"), ("not json", "not valid JSON"), ("[1]", "not a JSON object"), (#"{"n":"x"}"#, "/n"),
      (#"{"n":1,"m":2}"#, "m"), ("", "n"),
    ])
  func malformed(arguments: String, told: String) throws {
    var life = try life()
    let commands = life.take(asks([("pay", arguments), ("look", #"{"n":1}"#)]))
    guard case .answerCall(let call, .arguments, let problem) = commands.first else {
      Issue.record("\(commands)")
      return
    }
    #expect(call == 0)
    #expect(problem.contains(told))
    #expect(problem.contains(#""required":["n"]"#))
    // The other call is made all the same.
    #expect(commands.last == .callTool(call: 1, .first))
  }

  @Test("a model that goes on asking for what cannot be called ends the run, failed")
  func bounded() throws {
    var life = try life(toolRepairs: 2)
    for _ in 0..<2 {
      guard case .answerCall(_, .unknown, let problem)? = life.take(asks([("nothing", "{}")])).first else {
        Issue.record("not refused")
        return
      }
      #expect(problem.contains("look, put, pay"))
      #expect(life.take(try returned(0, isError: true)) == [.askModel(attempt: 1, repair: nil)])
    }
    _ = life.take(asks([("nothing", "{}")]))
    #expect(life.finish?.status == .failed)
    #expect(life.finish?.internalStatus == "tool_arguments")
  }

  @Test("a tool without parameters may be called without arguments")
  func withoutArguments() throws {
    let tool = ToolDeclaration(
      name: "now", description: "", parameters: try json(#"{"type":"object","properties":{}}"#), effect: .none,
      hasProbe: false)
    var life = Life(try beginning(tools: ToolList([tool])))
    #expect(life.take(asks([("now", "")])) == [.callTool(call: 0, .first)])
  }

  @Test("beyond the agent's limit calls are answered with a refusal, and the run goes on")
  func answeredLimit() throws {
    var limits = Limits()
    limits.toolCallsAnswered = 1
    var life = try life(limits, toolRepairs: 0)
    let commands = life.take(asks([("look", #"{"n":1}"#), ("look", #"{"n":2}"#)]))
    #expect(commands.first == .callTool(call: 0, .first))
    guard case .answerCall(1, .limit, _)? = commands.last else {
      Issue.record("\(commands)")
      return
    }
    _ = life.take(try returned(0))
    #expect(life.take(try returned(1, isError: true)) == [.askModel(attempt: 1, repair: nil)])
    #expect(life.finish == nil)
  }

  @Test("crossing a limit ends the run, failed, with the limit's name, before a tool is called")
  func limits() throws {
    var calls = Limits()
    calls.toolCalls = 1
    var one = try life(calls)
    _ = one.take(asks([("look", #"{"n":1}"#), ("look", #"{"n":2}"#)]))
    #expect(one.finish?.internalStatus == "limit_tool_calls")

    var asked = Limits()
    asked.modelCalls = 2
    var two = try life(asked)
    for _ in 0..<2 {
      #expect(two.finish == nil)
      _ = two.take(asks([("look", #"{"n":1}"#)]))
      _ = two.take(try returned(0))
    }
    #expect(two.finish?.internalStatus == "limit_model_calls")

    var tokens = Limits()
    tokens.outputTokens = 11
    tokens.inputTokens = 100
    var three = try life(tokens)
    _ = three.take(asks([("look", #"{"n":1}"#)], prompt: 50, completion: 10))
    #expect(three.finish == nil)
    _ = three.take(try returned(0))
    _ = three.take(asks([("look", #"{"n":1}"#)], prompt: 51, completion: 0))
    #expect(three.finish?.internalStatus == "limit_input_tokens")
  }

  @Test("a question is not asked that would cross a limit: it has at least the tokens of the one before")
  func reserved() throws {
    for (input, output, limit) in [(99, 20, "limit_input_tokens"), (100, 10, "limit_output_tokens")] {
      var limits = Limits()
      limits.inputTokens = Int64(input)
      limits.outputTokens = Int64(output)
      var life = try life(limits)
      _ = life.take(asks([("look", #"{"n":1}"#)], prompt: 50, completion: 10))
      #expect(life.finish == nil)
      _ = life.take(try returned(0))
      #expect(life.finish?.internalStatus == limit)
    }
  }

  @Test("what a run may cost is counted by its model's price, and a question is not asked that would cost more")
  func cost() throws {
    // 50 tokens of 4 and 10 of 20: 400 an answer.
    for (most, answers) in [(500, 1), (1_000, 3)] {
      var limits = Limits()
      limits.cost = Int64(most)
      var life = try life(limits, price: Price(input: 4, output: 20))
      var given = 0
      while life.finish == nil, given < 5 {
        given += 1
        _ = life.take(dear())
        if life.finish == nil { _ = life.take(try returned(0)) }
      }
      #expect(given == answers)
      #expect(life.finish?.internalStatus == "limit_cost")
    }
    var rest = Limits()
    rest.cost = 1_000
    var life = try life(rest, price: Price(input: 4, output: 20))
    _ = life.take(dear())
    _ = life.take(try returned(0))
    // 600 are left, and 200 of them go to a question as long as the last.
    #expect(life.run.tokensLeft == 20)
  }

  private func dear() -> Event { asks([("look", #"{"n":1}"#)], prompt: 50, completion: 10) }

  @Test("what several sub-tasks get that start together is no more than there is")
  func shares() {
    var limits = Limits()
    limits.modelCalls = 10
    limits.outputTokens = 100
    limits.depth = 3
    var used = Usage()
    used.modelCalls = 3
    used.outputTokens = 150
    let share = limits.share(after: used, among: 3)
    #expect(share.modelCalls == 2)
    #expect(share.outputTokens == 0 && share.isUsedUp)
    #expect(share.inputTokens == nil && share.depth == 3)
  }

  @Test("attempts that failed count as calls of the model")
  func retries() throws {
    var limits = Limits()
    limits.modelCalls = 2
    var life = try life(limits)
    #expect(life.take(failure()).contains { if case .wait = $0 { true } else { false } })
    _ = life.take(.waited)
    #expect(life.take(failure()).contains { if case .wait = $0 { true } else { false } })
    _ = life.take(.waited)
    #expect(life.finish?.internalStatus == "limit_model_calls")
  }

  @Test("a run can be stopped while tools are under way")
  func stopped() throws {
    var life = try life()
    _ = life.take(asks([("pay", #"{"n":1}"#)]))
    #expect(life.take(.stopRequested(.person)).count == 1)
    #expect(life.finish?.status == .stopped)
    #expect(life.take(try returned(0)).isEmpty)
  }

  @Test("the ids of calls come from the answer, and differ")
  func ids() throws {
    var life = try life()
    _ = life.take(asks([("look", #"{"n":1}"#), ("look", #"{"n":1}"#)]))
    guard case .calling(let calls) = life.run.phase else {
      Issue.record("not calling")
      return
    }
    #expect([calls.id(0), calls.id(1)] == ["key-0", "key-1"])
  }

  @Test("what only the model understands is kept verbatim")
  func opaque() throws {
    let call = ToolRequest(
      id: "c", name: "look", arguments: .string(#"{"n":1.0e0}"#), opaque: try json(#"{"signature":"a\u0041"}"#))
    let event = Event.modelAnswered(
      ModelAnswered(
        text: .string("x"), finishReason: nil, model: nil, promptTokens: nil, completionTokens: nil, calls: [call],
        opaque: try json(#"{"thinking":[1.50]}"#), key: "k"))
    guard case .modelAnswered(let read) = try Event(kind: event.kind, body: event.body) else { return }
    #expect(text(read.opaque) == #"{"thinking":[1.50]}"#)
    #expect(text(read.calls.first?.opaque) == #"{"signature":"a\u0041"}"#)
    #expect(read.calls.first?.arguments.string == #"{"n":1.0e0}"#)
  }

  @Test("results reach the model as they are: strings as such, anything else as its JSON text")
  func content() throws {
    #expect(ToolReturned(call: 0, result: try json(#""a\nb""#), isError: false).content.string == "a\nb")
    #expect(ToolReturned(call: 0, result: try json(#"{"a":1.0}"#), isError: false).content.string == #"{"a":1.0}"#)
    #expect(ToolReturned(call: 0, result: .null, isError: false).content.string == "null")
  }
}
