import MusterEngine
package import MusterStore

/// Folds the journal of one task, turn by turn, and compares what comes out with the task's row.
package struct JournalCheck {
  private var run = Run()
  private var sequence: Int64 = 0
  private var turn: Int64 = 0
  private var firstSequence: Int64 = 0
  /// The record with which the turn ended.
  private var endSequence: Int64?
  private var problem: String?

  package init() {}

  /// Takes the next record. After the first problem the rest means nothing any more.
  package mutating func take(_ record: JournalRecord) {
    guard problem == nil else { return }
    guard record.sequence == sequence &+ 1 else {
      problem = "record \(sequence &+ 1) is missing: the next is \(record.sequence)"
      return
    }
    sequence = record.sequence
    if record.turn != turn { begin(record) }
    guard problem == nil else { return }
    guard endSequence == nil else {
      problem = "record \(record.sequence) follows the end of turn \(turn)"
      return
    }
    do throws(RunError) {
      run.replay(
        try JournalCoding.event(record), commands: try JournalCoding.commands(record),
        sequence: record.sequence)
    } catch {
      if case .unreadable(let what) = error { problem = what }
      return
    }
    if case .finished = run.phase { endSequence = record.sequence }
  }

  private mutating func begin(_ record: JournalRecord) {
    if turn > 0, endSequence == nil {
      problem = "turn \(turn) has no end"
    } else if record.turn != turn &+ 1 {
      problem = "turn \(record.turn) follows turn \(turn)"
    }
    run = Run()
    turn = record.turn
    firstSequence = record.sequence
    endSequence = nil
  }

  /// What is wrong with the journal or with the row that all records have been taken of; nil when they agree.
  package func problem(with task: TaskRow) -> String? {
    if let problem { return problem }
    if sequence != task.sequence { return "the row knows \(task.sequence) records, the journal has \(sequence)" }
    if turn != task.turn || firstSequence != task.firstSequence {
      return "the row is at turn \(task.turn), the journal at turn \(turn)"
    }
    guard case .finished(let finish) = run.phase else {
      return task.status.isFinal ? "the row says \(task.status.word), the journal has no end" : nil
    }
    let end = JournalCoding.end(finish, run)
    guard end.status == task.status, end.internalStatus == task.internalStatus,
      end.isManuallyStopped == task.isManuallyStopped
    else { return "the row says \(task.status.word), the journal says \(end.status.word)" }
    return endSequence == task.resultSequence ? nil : "the row does not name the record of its result"
  }
}
