import MusterJSON
import TestSupport

@testable import MusterEngine

/// A value from a text that must be JSON.
func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

func text(_ json: JSON?) -> String? { json.map { String(decoding: $0.bytes, as: UTF8.self) } }

func beginning(
  format: Beginning.Format = .text, schema: String? = nil, attempts: Int64 = 3, repairs: Int64 = 1,
  system: Beginning.System = .none, requestedVersion: String? = nil, effort: String? = nil, history: Int64? = nil,
  host: String? = nil, tools: ToolList? = nil, toolRepairs: Int64 = 3, limits: Limits = Limits(),
  price: Price? = nil, delegated: Delegated? = nil
) throws -> Beginning {
  Beginning(
    agentVersion: "2", requestedVersion: requestedVersion, request: try json(#"{"input":{"text":"caf\u00e9"}}"#),
    provider: "openai", model: "m", host: host, reasoningEffort: effort, format: format, schema: try schema.map(json),
    system: system, historyFromTurn: history, attempts: attempts, repairs: repairs, tools: tools,
    toolRepairs: tools == nil ? 0 : toolRepairs, limits: limits, price: price, delegated: delegated,
    network: "open")
}

/// Tools of each kind: `look` reads, `put` may be repeated, `pay` may not.
func someTools() throws -> ToolList {
  let parameters = try json(
    #"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}"#)
  return ToolList([
    ToolDeclaration(name: "look", description: "Looks.", parameters: parameters, effect: .none, hasProbe: false),
    ToolDeclaration(name: "put", description: "Puts.", parameters: parameters, effect: .idempotent, hasProbe: false),
    ToolDeclaration(name: "pay", description: "Pays.", parameters: parameters, effect: .once, hasProbe: true),
  ])
}

/// An answer that asks for tools, each with the text of its arguments.
func asks(_ calls: [(name: String, arguments: String)], prompt: Int64? = nil, completion: Int64? = nil) -> Event {
  .modelAnswered(
    ModelAnswered(
      text: .string(""), finishReason: "tool_calls", model: "m-1", promptTokens: prompt, completionTokens: completion,
      calls: calls.enumerated().map {
        ToolRequest(id: "c\($0)", name: $1.name, arguments: .string($1.arguments), opaque: nil)
      }, key: "key"))
}

func returned(_ call: Int, _ result: String = #""done""#, isError: Bool = false) throws -> Event {
  .toolReturned(ToolReturned(call: call, result: try json(result), isError: isError))
}

func answer(_ text: String, prompt: Int64? = nil, completion: Int64? = nil) -> Event {
  .modelAnswered(
    ModelAnswered(
      text: .string(text), finishReason: "stop", model: "m-1", promptTokens: prompt, completionTokens: completion))
}

func failure(
  _ kind: ModelFailed.Kind = .http, transient: Bool = true, after: Int64? = nil, jitter: Int64 = 0, status: Int64? = 500
) -> Event {
  .modelFailed(
    ModelFailed(
      kind: kind, httpStatus: status, message: "it failed", isTransient: transient, retryAfterMilliseconds: after,
      jitter: jitter))
}

/// A run that lives through events, each with the number of its record.
struct Life {
  var run = Run()
  var sequence: Int64 = 0

  init(_ beginning: Beginning) { _ = take(.began(beginning)) }

  mutating func take(_ event: Event) -> [Command] {
    sequence += 1
    return run.apply(event, sequence: sequence)
  }

  /// The end of the run; nil as long as it goes on.
  var finish: Command.Finish? { if case .finished(let finish) = run.phase { finish } else { nil } }
}

/// Events without sense or order, as a defect or a damaged journal could bring them.
struct EventSource {
  var generator: SeededGenerator

  mutating func event() throws -> Event {
    switch generator.below(16) {
    case 0: return .began(try someBeginning())
    case 1...4: return someAnswer()
    case 5...7: return someFailure()
    case 8, 9: return .waited
    case 12, 13: return someCalls()
    case 14, 15: return try returned(generator.below(5) - 1, "[1]", isError: generator.flip())
    case 10: return generator.below(4) == 0 ? .stopRequested(generator.pick([.person, .cancelled, .timeout])) : .waited
    default: return generator.below(4) == 0 ? .interrupted : someAnswer()
    }
  }

  mutating func someBeginning() throws -> Beginning {
    let schema = generator.flip() ? #"{"type":"object","required":["a"]}"# : nil
    let system: Beginning.System
    switch generator.below(3) {
    case 0: system = .none
    case 1: system = .text(.string("be \"kind\"\n"))
    default: system = .record(Int64(generator.below(99)))
    }
    return try beginning(
      format: generator.pick([.text, .markdown, .json]), schema: schema, attempts: Int64(generator.below(5)),
      repairs: Int64(generator.below(3)), system: system, requestedVersion: generator.flip() ? "draft" : nil,
      effort: generator.flip() ? "high" : nil, history: generator.flip() ? 4 : nil,
      host: generator.flip() ? "h:1" : nil, tools: generator.flip() ? try someTools() : nil,
      toolRepairs: Int64(generator.below(4)), limits: someLimits())
  }

  mutating func someLimits() -> Limits {
    var limits = Limits()
    if generator.below(4) == 0 { limits.modelCalls = Int64(generator.below(5)) }
    if generator.below(4) == 0 { limits.toolCalls = Int64(generator.below(5)) }
    if generator.below(4) == 0 { limits.outputTokens = Int64(generator.below(50)) }
    if generator.below(4) == 0 { limits.toolCallsAnswered = Int64(generator.below(3)) }
    return limits
  }

  mutating func someAnswer() -> Event {
    let counted = generator.flip()
    return answer(
      generator.pick(["", "hello", "{}", "{\"a\":1}", "```json\n{\"a\":2}\n```", "caf\u{e9} \u{1f600}\n\"q\""]),
      prompt: counted ? Int64(generator.below(100)) : nil, completion: counted ? Int64(generator.below(100)) : nil)
  }

  mutating func someCalls() -> Event {
    let count = generator.below(3) + 1
    var calls: [(name: String, arguments: String)] = []
    for _ in 0..<count {
      calls.append(
        (generator.pick(["look", "put", "pay", "no"]), generator.pick([#"{"n":1}"#, "{}", "", "no", "[]"])))
    }
    return asks(calls, prompt: generator.flip() ? 7 : nil, completion: 9)
  }

  mutating func someFailure() -> Event {
    failure(
      generator.pick([.unreachable, .timeout, .http, .invalid, .refused, .notConfigured, .forbidden]),
      transient: generator.flip(),
      after: generator.flip() ? Int64(generator.below(90_000)) : nil, jitter: Int64(generator.below(1000)),
      status: generator.flip() ? 503 : nil)
  }
}
