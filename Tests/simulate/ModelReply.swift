import MusterJSON
import MusterModels

/// What a simulated model makes of one question.
struct ModelReply {
  /// What it says before the end, and how long it takes for that, in milliseconds.
  let pieces: [(text: [UInt8], after: Int64)]
  /// How long it takes for the end.
  let patience: Int64
  let outcome: ModelOutcome

  init(pieces: [(text: [UInt8], after: Int64)], patience: Int64, outcome: ModelOutcome) {
    self.pieces = pieces
    self.patience = patience
    self.outcome = outcome
  }

  private enum Manner {
    case answers
    case calls
    case fails(ModelFailure)
    /// It says nothing for longer than anybody waits.
    case isSilent
  }

  init(to turn: Turn, tools: [String], world: World) {
    let dice = world.dice
    let manner = ModelReply.manner(turn, hasTools: !tools.isEmpty, world)
    var pieces: [(text: [UInt8], after: Int64)] = []
    let text: String
    if turn.wantsJSON {
      text = world.isUnlucky() ? "no JSON é at all" : #"{"ok":"é"}"#
    } else {
      text = "answer \(turn.asks) to \(turn.prompt) é"
    }
    var rest = text.unicodeScalars[...]
    let slowness = world.isUnlucky() ? 3_000 : 100
    while !rest.isEmpty, pieces.count < 4 {
      let count = pieces.count == 3 ? rest.count : dice.within(1...rest.count)
      pieces.append((Array(String(rest.prefix(count)).utf8), dice.milliseconds(upTo: slowness)))
      rest = rest.dropFirst(count)
    }
    patience = dice.milliseconds(upTo: slowness)
    switch manner {
    case .answers: break
    case .calls: if dice.percent(60) { pieces = [] }
    case .fails, .isSilent: pieces = Array(pieces.prefix(dice.below(3)))
    }
    self.pieces = pieces
    switch manner {
    case .answers: outcome = .answered(ModelReply.end(calls: []))
    case .calls: outcome = .answered(ModelReply.end(calls: ModelReply.calls(turn, tools, world)))
    case .fails(let failure): outcome = .failed(failure)
    case .isSilent: outcome = .failed(SimulatedModel.failure(.unreachable, isTransient: true))
    }
    if case .isSilent = manner { silence = 3_600_000 } else { silence = 0 }
  }

  /// How much longer it takes for the end.
  private(set) var silence: Int64 = 0

  private static func end(calls: [ModelToolCall]) -> ModelAnswerEnd {
    ModelAnswerEnd(
      finishReason: calls.isEmpty ? "stop" : "tool_calls", model: "m", promptTokens: 3, completionTokens: 4,
      hasUsage: true, calls: calls)
  }

  private static func manner(_ turn: Turn, hasTools: Bool, _ world: World) -> Manner {
    let dice = world.dice
    if hasTools, turn.asks <= (world.isCalm ? 2 : 6), dice.percent(55) { return .calls }
    if !world.isUnlucky() { return .answers }
    return dice.weigh([
      (.answers, 30), (.isSilent, 10), (.fails(SimulatedModel.failure(.unreachable, isTransient: true)), 20),
      (.fails(SimulatedModel.failure(.http, isTransient: true)), 10), (.fails(SimulatedModel.failure(.refused)), 5),
      (.fails(SimulatedModel.failure(.invalidAnswer, isTransient: true)), 5),
      (.fails(SimulatedModel.failure(.http)), 5),
    ])
  }

  private static func calls(_ turn: Turn, _ tools: [String], _ world: World) -> [ModelToolCall] {
    let dice = world.dice
    let count = dice.weigh([(1, 50), (2, 25), (3, 15), (10, 4)])
    return (0..<count).map { index in
      var name = dice.pick(tools)
      var arguments =
        SimulatedTool.Kind(rawValue: name) == nil ? #"{"task":"go"}"# : #"{"n":\#(index),"turn":\#(turn.number)}"#
      if !world.isCalm, dice.percent(world.plan.trouble / 8) {
        switch dice.below(4) {
        case 0: name = "nothing"
        case 1: arguments = #"{"n":"one"}"#
        case 2: arguments = "{"
        default: arguments = ""
        }
      }
      return ModelToolCall(id: "c\(index)", name: name, arguments: .string(arguments))
    }
  }
}
