import MusterJSON
import TestSupport

@testable import MusterEngine

/// A value from a text that must be JSON.
func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

func text(_ json: JSON?) -> String? { json.map { String(decoding: $0.bytes, as: UTF8.self) } }

func beginning(
  format: Beginning.Format = .text, schema: String? = nil, attempts: Int64 = 3, repairs: Int64 = 1,
  system: Beginning.System = .none, requestedVersion: String? = nil, effort: String? = nil, history: Int64? = nil,
  host: String? = nil
) throws -> Beginning {
  Beginning(
    agentVersion: "2", requestedVersion: requestedVersion, request: try json(#"{"input":{"text":"caf\u00e9"}}"#),
    provider: "openai", model: "m", host: host, reasoningEffort: effort, format: format, schema: try schema.map(json),
    system: system, historyFromTurn: history, attempts: attempts, repairs: repairs, network: "open")
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
    switch generator.below(12) {
    case 0: return .began(try someBeginning())
    case 1...4: return someAnswer()
    case 5...7: return someFailure()
    case 8, 9: return .waited
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
      host: generator.flip() ? "h:1" : nil)
  }

  mutating func someAnswer() -> Event {
    let counted = generator.flip()
    return answer(
      generator.pick(["", "hello", "{}", "{\"a\":1}", "```json\n{\"a\":2}\n```", "caf\u{e9} \u{1f600}\n\"q\""]),
      prompt: counted ? Int64(generator.below(100)) : nil, completion: counted ? Int64(generator.below(100)) : nil)
  }

  mutating func someFailure() -> Event {
    failure(
      generator.pick([.unreachable, .timeout, .http, .invalid, .refused, .notConfigured, .forbidden]),
      transient: generator.flip(),
      after: generator.flip() ? Int64(generator.below(90_000)) : nil, jitter: Int64(generator.below(1000)),
      status: generator.flip() ? 503 : nil)
  }
}
