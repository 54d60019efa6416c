import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem

/// Turns the records of a turn, in their order, into the events that followers get: the same whenever it is done.
struct TurnEvents {
  /// The task, of whatever moment: what of it does not change.
  private let task: TaskRow
  /// How the sub-tasks stand now, for the end.
  private let subtasks: [Subtask]
  /// Finds the tools that a record of the task holds.
  private let tools: (Int64) throws(RunError) -> ToolList?
  private var run = Run()
  private var startedAt: Timestamp?

  init(task: TaskRow, subtasks: [Subtask], tools: @escaping (Int64) throws(RunError) -> ToolList?) {
    self.task = task
    self.subtasks = subtasks
    self.tools = tools
  }

  /// Whether the record that ends the turn was taken.
  var isOver: Bool { if case .finished = run.phase { true } else { false } }

  /// The attempt that is open behind the records so far.
  private var attempt: Int64? {
    if case .asking(let attempt) = run.phase, !run.isSummarizing { attempt } else { nil }
  }

  /// The events that the next record is, and before them the text that came with it, as one piece: that part of it which
  /// is behind the place where the follower stands.
  mutating func take(_ record: JournalRecord, from place: EventPosition) throws(RunError) -> [TaskEvent] {
    let before = attempt
    let calls = openCalls
    var event = try JournalCoding.event(record)
    if case .began(let beginning) = event, beginning.tools == nil, let sequence = beginning.toolsRecord,
      let list = try tools(sequence)
    {
      event = .began(Beginning(beginning, tools: list))
    }
    run.replay(event, commands: try JournalCoding.commands(record), sequence: record.sequence)
    guard let beginning = run.beginning else { throw .unreadable("task \(task.id) has no beginning") }
    if JournalCoding.begins(record) {
      startedAt = record.time
      return begun(beginning, record)
    }
    var events: [TaskEvent] = []
    if let piece = piece(before, record, place) { events.append(piece) }
    let pause = pause(beginning, record)
    events += ofTools(record, before: calls, isLast: pause == nil && !isOver)
    if let pause {
      events.append(pause)
    } else if isOver || events.last?.isOfTools != true {
      // A record that is about tools is just that, unless the turn ends with it.
      events.append(last(beginning, record))
    }
    return events
  }

  private var openCalls: OpenCalls? { if case .calling(let calls) = run.phase { calls } else { nil } }

  /// What a record says about tools: that some are asked for, or what one has answered. The last event stands behind the
  /// record, unless it ends the turn.
  private func ofTools(_ record: JournalRecord, before: OpenCalls?, isLast: Bool) -> [TaskEvent] {
    var contents: [TaskEvent.Content] = []
    if let before {
      if let returned = JournalCoding.returned(record), before.requests.indices.contains(returned.call) {
        contents = [.toolReturned(before.requests[returned.call], id: before.id(returned.call), returned)]
        // The next of a sequence.
        let next = returned.call &+ 1
        if let team = run.beginning?.team, team.kind == .sequence, let calls = openCalls, calls.command(next) != nil {
          contents.append(asked(next, calls))
        }
      }
    } else if let calls = openCalls {
      contents = calls.requests.indices.map { asked($0, calls) }
    }
    return contents.indices.map { index in
      let position =
        isLast && index == contents.count &- 1
        ? EventPosition(sequence: record.sequence)
        : EventPosition(sequence: record.sequence, attempt: 0, offset: Int64(index) &+ 1)
      return TurnEvents.event(contents[index], of: task, at: position, time: record.time)
    }
  }

  /// That nothing can be done any more but by people; nil when that is not so.
  private func pause(_ beginning: Beginning, _ record: JournalRecord) -> TaskEvent? {
    guard let calls = openCalls, calls.waitsForPeople else { return nil }
    let snapshot = TaskSnapshot(
      paused: task.standing(.paused, startedAt: startedAt, updatedAt: record.time), beginning: beginning,
      request: PersonRequest(run),
      subtasks: subtasks.compactMap { $0.standing(at: record.time, isLatest: record.turn == task.turn) })
    return TurnEvents.event(
      .updated(snapshot), of: task, at: EventPosition(sequence: record.sequence), time: record.time)
  }

  private func asked(_ call: Int, _ calls: OpenCalls) -> TaskEvent.Content {
    let request = calls.requests[call]
    guard let beginning = run.beginning, let agent = beginning.tools?.tool(request.name)?.agent else {
      return .toolAsked(request, id: calls.id(call))
    }
    let arguments = try? JSON.parse(request.arguments.utf8 ?? [])
    return .agentTriggered(agent: agent, id: calls.id(call), query: arguments?["task"])
  }

  /// The events that the record is with which the turn begins; it may be its last one as well.
  private func begun(_ beginning: Beginning, _ record: JournalRecord) -> [TaskEvent] {
    let events = TurnEvents.beginning(of: task, beginning, sequence: record.sequence, time: record.time)
    return isOver ? events + [last(beginning, record)] : events
  }

  /// The text that came with a record, as far as it is behind the place; nil when there is none.
  private func piece(_ before: Int64?, _ record: JournalRecord, _ place: EventPosition) -> TaskEvent? {
    guard let before, let text = JournalCoding.text(record)?.utf8 else { return nil }
    let isThere = place.sequence &+ 1 == record.sequence && place.attempt == before
    let rest = TurnEvents.tail(of: text, from: isThere ? place.offset : 0)
    if rest.isEmpty { return nil }
    let end = EventPosition(sequence: record.sequence &- 1, attempt: before, offset: Int64(text.count))
    return TurnEvents.event(.chunk(rest), of: task, at: end, time: record.time)
  }

  /// The event that a record is: the end of the turn, or that it goes on.
  private func last(_ beginning: Beginning, _ record: JournalRecord) -> TaskEvent {
    let position = EventPosition(sequence: record.sequence)
    guard case .finished(let finish) = run.phase else {
      return TurnEvents.update(of: task, beginning, at: position, startedAt: startedAt, time: record.time)
    }
    let end = JournalCoding.end(finish, run)
    let ended = task.standing(
      end.status, internalStatus: end.internalStatus, isManuallyStopped: end.isManuallyStopped, startedAt: startedAt,
      finishedAt: record.time, promptTokens: end.promptTokens, completionTokens: end.completionTokens)
    let isLatest = record.turn == task.turn
    let snapshot = TaskSnapshot(
      task: ended, beginning: beginning, result: JournalCoding.result(record),
      subtasks: subtasks.compactMap { $0.standing(at: record.time, isLatest: isLatest) })
    return TurnEvents.event(.finished(snapshot), of: task, at: position, time: record.time)
  }

  // MARK: - Events

  /// The two events that the beginning of a turn is: that it was accepted, and that it runs.
  static func beginning(
    of task: TaskRow, _ beginning: Beginning, sequence: Int64, time: Timestamp
  ) -> [TaskEvent] {
    let accepted = TaskSnapshot(
      task: task.standing(.pending), beginning: beginning, result: nil, subtasks: [])
    return [
      event(.created(accepted), of: task, at: EventPosition(sequence: sequence), time: time),
      update(
        of: task, beginning, at: EventPosition(sequence: sequence, attempt: 1), startedAt: time, time: time),
    ]
  }

  /// That a turn goes on.
  static func update(
    of task: TaskRow, _ beginning: Beginning, at position: EventPosition, startedAt: Timestamp?, time: Timestamp
  ) -> TaskEvent {
    let snapshot = TaskSnapshot(
      task: task.standing(.executing, startedAt: startedAt), beginning: beginning, result: nil, subtasks: [])
    return event(.updated(snapshot), of: task, at: position, time: time)
  }

  static func event(
    _ content: TaskEvent.Content, of task: TaskRow, at position: EventPosition, time: Timestamp
  ) -> TaskEvent {
    TaskEvent(
      position: position, organizationID: task.organizationID, taskID: task.id, time: time, content: content)
  }

  /// The bytes of a text from `offset` on, or from the next character if that is inside of one.
  static func tail(of text: [UInt8], from offset: Int64) -> [UInt8] {
    guard offset >= 0, offset < Int64(text.count) else { return [] }
    var start = Int(offset)
    while start < text.count, text[start] & 0xc0 == 0x80 { start += 1 }
    return Array(text[start...])
  }
}
