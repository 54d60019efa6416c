import MusterEngine
import MusterJSON
import MusterModels
import MusterStore

/// What models of sub-tasks and of sequences get to see.
extension Conversation {
  /// The prompt of a turn: behind what was said above the task, in few words, and before what agents have made of it.
  func prompt(of beginning: Beginning, _ summary: Int64?) throws(RunError) -> JSON {
    let text = beginning.request["input"]?["text"] ?? .literal("\"\"")
    if let summary {
      guard let record = try record(summary), let said = JSON.trusted(record.body)["text"] else {
        throw .unreadable("record \(summary) holds no summary")
      }
      return Conversation.joined(said, "\n\nTask: ", text)
    }
    guard beginning.team?.kind == .sequence else { return text }
    guard let last = try recordsOfTurn().compactMap({ JournalCoding.returned($0) }).last else { return text }
    return Conversation.joined(text, "\n\nThe agents that worked on this one after another came to:\n\n", last.content)
  }

  /// One text behind another, both JSON strings.
  static func joined(_ first: JSON, _ between: String, _ second: JSON) -> JSON {
    var writer = JSONWriter(capacity: first.bytes.count &+ second.bytes.count &+ between.utf8.count)
    writer.value(utf8: (first.utf8 ?? []) + Array(between.utf8) + (second.utf8 ?? []))
    return writer.json
  }

  /// What was said in another task before it started this one, without its system message.
  func said(in source: Delegated.Source) throws(RunError) -> [ModelMessage] {
    let lookup: (task: TaskRow, first: JournalRecord?)?
    do throws(StoreError) {
      if case .found(let found) = try store.task(source.task, in: task.organizationID) {
        lookup = (found, try store.record(found.firstSequence, of: found))
      } else {
        lookup = nil
      }
    } catch {
      throw .store(error)
    }
    guard let above = lookup?.task, above.turn == source.turn, let first = lookup?.first,
      case .began(let beginning) = try JournalCoding.event(first)
    else {
      throw .unreadable("task \(source.task) is not at turn \(source.turn)")
    }
    let conversation = Conversation(store: store, task: above)
    let all = try conversation.messages(for: beginning, repair: nil, callsBefore: source.sequence)
    return all.filter { if case .text(.system, _) = $0 { false } else { true } }
  }

  /// What the model is asked that sums up what was said above this task.
  func summaryQuestion(for beginning: Beginning) throws(RunError) -> [ModelMessage] {
    guard case .summary(let source)? = beginning.delegated?.memory else {
      throw .unreadable("task \(task.id) has nothing to sum up")
    }
    var lines: [UInt8] = []
    func add(_ who: String, _ text: JSON?) {
      guard let bytes = text?.utf8, !bytes.isEmpty else { return }
      if !lines.isEmpty { lines += Array("\n\n".utf8) }
      lines += Array("\(who): ".utf8) + bytes
    }
    for message in try said(in: source) {
      switch message {
      case .text(let role, let text): add(role.word, text)
      case .calls(let text, let calls, _):
        add("assistant", text)
        for call in calls { add("assistant calls \(call.name) with", call.arguments) }
      case .result(_, let content): add("result", content)
      }
    }
    var writer = JSONWriter(capacity: lines.count &+ 16)
    writer.value(utf8: lines)
    return [
      .text(
        .system,
        .literal(
          #""Sum up this conversation for somebody who takes over a part of the work: what is wanted, what is known, and what was decided. Write nothing else.""#
        )), .text(.user, writer.json),
    ]
  }
}
