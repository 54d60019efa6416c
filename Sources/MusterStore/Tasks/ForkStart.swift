package import MusterSystem

/// What begins a task that goes on from a record of another one.
package struct ForkStart: Sendable {
  /// The task that it is made of, as it was read.
  package let source: TaskRow
  /// The last record that it takes over.
  package let through: Int64
  package let taskID: String
  package let title: String?
  package let userID: String?
  package let triggeringAgentID: String?
  /// The turn that the new task is at, and the record that begins it.
  package let turn: Int64
  package let firstSequence: Int64
  /// When that turn began.
  package let startedAt: Timestamp
  /// The last of the records that carries the text of a system message, if that is known.
  package let systemSequence: Int64?
  /// The event of the record that begins the turn, where it is not to be that of the source.
  package let beginning: [UInt8]?
  /// The record that begins a further turn.
  package let entry: JournalEntry?
  /// What the caller's key for repetitions is remembered with.
  package let idempotency: IdempotencyEntry?

  package init(
    source: TaskRow, through: Int64, taskID: String, title: String?, userID: String?, triggeringAgentID: String?,
    turn: Int64, firstSequence: Int64, startedAt: Timestamp, systemSequence: Int64?, beginning: [UInt8]?,
    entry: JournalEntry?, idempotency: IdempotencyEntry?
  ) {
    self.source = source
    self.through = through
    self.taskID = taskID
    self.title = title
    self.userID = userID
    self.triggeringAgentID = triggeringAgentID
    self.turn = turn
    self.firstSequence = firstSequence
    self.startedAt = startedAt
    self.systemSequence = systemSequence
    self.beginning = beginning
    self.entry = entry
    self.idempotency = idempotency
  }
}
