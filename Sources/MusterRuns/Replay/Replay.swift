package import MusterJSON
package import MusterStore

/// What came of folding the journal of a task again, from its first record on.
package struct Replay: Sendable {
  /// Where this version of the engine makes something else of an event than was recorded with it.
  package struct Difference: Sendable {
    /// The number of the record.
    package let sequence: Int64
    package let turn: Int64
    /// The commands on record, a JSON array.
    package let recorded: JSON
    /// Those of this version.
    package let made: JSON
  }

  /// The task as it stood when the replay began.
  package let task: TaskRow
  /// How many records were folded.
  package internal(set) var records: Int64 = 0
  package internal(set) var turns: Int64 = 0
  /// How many of the records were compared: those of turns that this version of the engine began.
  package internal(set) var compared: Int64 = 0
  /// The first difference.
  package internal(set) var difference: Difference?
  /// Why the journal cannot be read to its end, or in what the task's row says something else than the journal.
  package internal(set) var problem: String?
  /// What followers of the task were told.
  package internal(set) var events: [TaskEvent] = []

  init(task: TaskRow) { self.task = task }

  package var isIdentical: Bool { difference == nil && problem == nil }
}
