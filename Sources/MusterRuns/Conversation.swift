import MusterEngine
import MusterJSON
import MusterModels
import MusterStore

/// Puts together what a model gets to see, from the journal; texts are spliced as they are stored.
struct Conversation {
  let store: Store
  let task: TaskRow

  /// The system message, the turns of the history that have an answer, the prompt of this turn, and an answer that goes back.
  /// `hasCalls`: whether tools were asked for in this turn. `end`: only what stands before this record.
  /// `summary`: the record with what was said above this task.
  func messages(
    for beginning: Beginning, repair: Command.Repair?, hasCalls: Bool = true, summary: Int64? = nil,
    callsBefore end: Int64 = .max
  ) throws(RunError) -> [ModelMessage] {
    var messages: [ModelMessage] = []
    switch beginning.system {
    case .none: break
    case .text(let text): messages.append(.text(.system, text))
    case .record(let sequence):
      guard let record = try record(sequence), let text = JSON.trusted(record.body)["system"] else {
        throw .unreadable("record \(sequence) holds no system message")
      }
      messages.append(.text(.system, text))
    }
    messages += try history(for: beginning)
    if case .full(let source)? = beginning.delegated?.memory { messages += try said(in: source) }
    let prompt = try prompt(of: beginning, summary)
    // Many models refuse two prompts in a row.
    if case .text(.user, let before)? = messages.last {
      messages[messages.count &- 1] = .text(.user, Conversation.joined(before, "\n\nTask: ", prompt))
    } else {
      messages.append(.text(.user, prompt))
    }
    if hasCalls {
      messages += try transcript(before: end)
    } else if let repair {
      guard let record = try record(repair.sequence), let text = JSON.trusted(record.body)["text"] else {
        throw .unreadable("record \(repair.sequence) holds no answer")
      }
      messages.append(.text(.assistant, text))
      messages.append(.text(.user, .string(repair.prompt)))
    }
    return messages
  }

  /// What was said in this turn so far behind its prompt: answers with the results of their calls, in the order of the
  /// calls, and answers that were sent back.
  /// `before`: only what stands before this record.
  private func transcript(before end: Int64 = .max) throws(RunError) -> [ModelMessage] {
    let records = try recordsOfTurn()
    var messages: [ModelMessage] = []
    var asked: [ToolRequest] = []
    var results: [JSON?] = []
    for record in records where record.sequence < end && !JournalCoding.begins(record) {
      switch try JournalCoding.event(record) {
      case .modelAnswered(let answer):
        guard answer.calls.isEmpty else {
          asked = answer.calls
          results = Array(repeating: nil, count: asked.count)
          let calls = asked.map {
            ModelToolCall(id: $0.id, name: $0.name, arguments: $0.arguments, opaque: $0.opaque)
          }
          messages.append(.calls(text: answer.text.isEmpty ? nil : answer.text, calls, opaque: answer.opaque))
          continue
        }
        for case .askModel(_, let repair?) in try JournalCoding.commands(record) {
          messages.append(.text(.assistant, answer.text))
          messages.append(.text(.user, .string(repair.prompt)))
        }
      case .toolReturned(let returned):
        guard results.indices.contains(returned.call) else { continue }
        results[returned.call] = returned.content
        guard results.allSatisfy({ $0 != nil }) else { continue }
        for (request, content) in zip(asked, results) {
          if let content { messages.append(.result(callID: request.id, content: content)) }
        }
        results = []
      default: break
      }
    }
    return messages
  }

  private func history(for beginning: Beginning) throws(RunError) -> [ModelMessage] {
    guard let turn = beginning.historyFromTurn else { return [] }
    var history = History(for: beginning)
    do throws(StoreError) {
      guard let most = beginning.historyToolCalls else {
        for record in try store.messages(of: task, fromTurn: turn) where record.turn < task.turn {
          history.takeMessage(record)
        }
        return history.messages(toolCalls: nil)
      }
      let records = try store.recordsOfEarlierTurns(of: task, fromTurn: turn)
      for record in records { history.take(record) }
      return history.messages(toolCalls: most)
    } catch {
      throw .store(error)
    }
  }

  func recordsOfTurn() throws(RunError) -> [JournalRecord] {
    do throws(StoreError) {
      return try store.recordsOfTurn(task)
    } catch {
      throw .store(error)
    }
  }

  func record(_ sequence: Int64) throws(RunError) -> JournalRecord? {
    do throws(StoreError) {
      return try store.record(sequence, of: task)
    } catch {
      throw .store(error)
    }
  }
}
