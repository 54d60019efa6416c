package import MusterEngine
package import MusterJSON
package import MusterStore
import MusterSystem

/// Between the engine's events and the store's records.
package enum JournalCoding {
  /// The record of an event and the commands that it caused.
  static func entry(
    _ event: Event, commands: [Command], role: JournalRecord.Role?, at time: Timestamp
  ) -> JournalEntry {
    JournalEntry(
      kind: event.kind, format: Engine.recordFormat, time: time, role: role, body: Array(event.body.bytes),
      commands: Array(Command.json(commands).bytes))
  }

  /// The event of a record.
  package static func event(_ record: JournalRecord) throws(RunError) -> Event {
    guard record.format >= 1, record.format <= Engine.recordFormat else {
      throw .unreadable("record \(record.sequence) has format \(record.format)")
    }
    do throws(UnreadableRecord) {
      return try Event(kind: record.kind, body: JSON.trusted(record.body))
    } catch {
      throw .unreadable("record \(record.sequence): \(error.what)")
    }
  }

  /// What came of a tool's call, if a record tells that.
  static func returned(_ record: JournalRecord) -> ToolReturned? {
    record.kind == 7 ? try? ToolReturned(JSON.trusted(record.body)) : nil
  }

  /// Whether a turn begins with a record.
  static func begins(_ record: JournalRecord) -> Bool { record.kind == 1 }

  /// The commands of a record.
  package static func commands(_ record: JournalRecord) throws(RunError) -> [Command] {
    do throws(UnreadableRecord) {
      return try Command.commands(JSON.trusted(record.commands))
    } catch {
      throw .unreadable("record \(record.sequence): \(error.what)")
    }
  }

  /// The run whose turn has these records.
  static func fold(_ records: [JournalRecord]) throws(RunError) -> Run {
    var run = Run()
    for record in records {
      run.replay(try event(record), commands: try commands(record), sequence: record.sequence)
    }
    return run
  }

  /// How the store is told that a run has ended.
  static func end(_ finish: Command.Finish, _ run: Run) -> TurnEnd {
    let status: TaskStatus
    switch finish.status {
    case .completed: status = .completed
    case .failed: status = .failed
    case .error: status = .error
    case .stopped: status = .stopped
    }
    return TurnEnd(
      status: status, internalStatus: finish.internalStatus, isManuallyStopped: finish.isManuallyStopped,
      promptTokens: run.promptTokens, completionTokens: run.completionTokens)
  }

  /// The text of a task's result (a JSON string), from the record that holds it; nil when the turn has none.
  package static func result(_ record: JournalRecord) -> JSON? {
    for command in JSON.trusted(record.commands).elements {
      guard let finish = command["finish"] else { continue }
      if let text = finish["result"] { return text }
      if let returned = returned(record) { return returned.content }
    }
    return text(record)
  }

  /// The text of an answer, or of as much of one as had come when the run was stopped (a JSON string); nil when the record
  /// holds none.
  static func text(_ record: JournalRecord) -> JSON? {
    guard record.kind == 2 || record.kind == 5 else { return nil }
    return JSON.trusted(record.body).present("text")
  }

  /// The text of an answer that was cut off, in the record that says so (a JSON string).
  package static func cutOff(_ record: JournalRecord) -> JSON? { record.kind == 5 ? text(record) : nil }

  /// What was said to whoever asked, in a record that has the role of the assistant (a JSON string).
  package static func said(_ record: JournalRecord) -> JSON? {
    returned(record)?.content ?? JSON.trusted(record.body)["text"]
  }
}
