import MusterEngine
import MusterJSON
import MusterModels
import MusterStore

/// What a model gets to see of earlier turns: of each that has an answer the prompt, the tools that were asked for with what
/// they gave, and the answer.
struct History {
  /// An answer that asked for tools.
  private struct Round {
    let answer: ModelAnswered
    /// Whether what only its model understands is told, too.
    let isOpaqueTold: Bool
    /// In the order of the calls.
    var results: [JSON?]

    var isWhole: Bool { results.allSatisfy { $0 != nil } }
  }

  private struct Turn {
    let prompt: JSON
    let rounds: [Round]
    let answer: JSON
  }

  private let provider: String
  private let model: String
  private var turns: [Turn] = []
  /// The turn that has no answer yet.
  private var prompt: (turn: Int64, text: JSON)?
  private var rounds: [Round] = []
  /// Whether it asked the model that is asked now: what only a model understands, others may refuse.
  private var isOwnModel = false

  /// For the model that is asked now.
  init(for beginning: Beginning) {
    provider = beginning.provider
    model = beginning.model
  }

  /// Takes the next record, of whatever kind; one that cannot be read tells nothing.
  mutating func take(_ record: JournalRecord) {
    if record.role != nil { return takeMessage(record) }
    guard prompt?.turn == record.turn, let event = try? JournalCoding.event(record) else { return }
    switch event {
    case .modelAnswered(let answer) where !answer.calls.isEmpty:
      rounds.append(
        Round(
          answer: answer, isOpaqueTold: isOwnModel, results: Array(repeating: nil, count: answer.calls.count)))
    case .toolReturned(let returned):
      guard var round = rounds.popLast() else { return }
      if round.results.indices.contains(returned.call) { round.results[returned.call] = returned.content }
      rounds.append(round)
    default: break
    }
  }

  /// Takes the next record that is a message of the conversation.
  mutating func takeMessage(_ record: JournalRecord) {
    let body = JSON.trusted(record.body)
    switch record.role {
    case .user:
      prompt = body["request"]?["input"]?["text"].map { (record.turn, $0) }
      rounds = []
      isOwnModel =
        body["model"]?["provider"]?.isString(provider) == true && body["model"]?["name"]?.isString(model) == true
    case .assistant:
      // A prompt without an answer is left out: many models refuse two prompts in a row.
      guard let asked = prompt, asked.turn == record.turn, let text = JournalCoding.said(record) else { return }
      turns.append(Turn(prompt: asked.text, rounds: rounds.filter { $0.isWhole }, answer: text))
      prompt = nil
    case nil: break
    }
  }

  /// The messages, with so many of the calls, the last ones; 0: all; nil: none.
  func messages(toolCalls most: Int64?) -> [ModelMessage] {
    var messages: [ModelMessage] = []
    var dropped = dropped(most)
    for turn in turns {
      messages.append(.text(.user, turn.prompt))
      for round in turn.rounds {
        let missing = min(dropped, round.results.count)
        dropped &-= missing
        History.add(round, without: missing, to: &messages)
      }
      messages.append(.text(.assistant, turn.answer))
    }
    return messages
  }

  /// How many calls are left out, the first ones.
  private func dropped(_ most: Int64?) -> Int {
    guard let most else { return .max }
    let count = turns.reduce(0) { $0 &+ $1.rounds.reduce(0) { $0 &+ $1.results.count } }
    return most == 0 ? 0 : max(count &- Int(clamping: most), 0)
  }

  /// An answer whose calls are all left out is left out itself: many models refuse two answers in a row.
  private static func add(_ round: Round, without missing: Int, to messages: inout [ModelMessage]) {
    let answer = round.answer
    let calls = answer.calls.dropFirst(missing)
    if calls.isEmpty { return }
    messages.append(
      .calls(
        text: answer.text.isEmpty ? nil : answer.text,
        calls.map {
          ModelToolCall(
            id: $0.id, name: $0.name, arguments: $0.arguments, opaque: round.isOpaqueTold ? $0.opaque : nil)
        },
        opaque: round.isOpaqueTold ? answer.opaque : nil))
    for (call, content) in zip(calls, round.results.dropFirst(missing)) {
      if let content { messages.append(.result(callID: call.id, content: content)) }
    }
  }
}
