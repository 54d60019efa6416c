import MusterSystem

/// How far a task has come: its row, and records of its journal from some place on, all of one moment.
package struct TaskProgress: Sendable {
  package let task: TaskRow
  package let records: [JournalRecord]
  /// The direct sub-tasks, oldest first.
  package let subtasks: [Subtask]
}

extension Store {
  /// A task with the records behind one, at most `limit`; unless the reader has those up to it (`isContinued`), from the
  /// beginning of their turn on. Nil when the organization has no such task.
  package func progress(
    of id: String, in organization: String, after sequence: Int64, isContinued: Bool, limit: Int64
  ) throws(StoreError) -> TaskProgress? {
    try read { (database: Database) throws(StoreError) -> TaskProgress? in
      guard let task = try Store.task(id, in: organization, database) else { return nil }
      let known = min(max(sequence, 0), task.sequence)
      var first = try JournalKey.of(known, of: task.key) &+ 1
      if !isContinued {
        // The record that began the turn of the next record.
        let next = min(known &+ 1, task.sequence)
        let began = try database.statement(
          "SELECT key FROM journal WHERE key BETWEEN ? AND ? AND kind = 1 ORDER BY key DESC LIMIT 1"
        ).bind(1, try JournalKey.of(0, of: task.key)).bind(2, try JournalKey.of(next, of: task.key))
          .first { $0.integer(0) }
        first = began ?? first
      }
      let records = try database.statement(
        "SELECT \(JournalRecord.columns) FROM journal j WHERE j.key BETWEEN ? AND ? ORDER BY j.key LIMIT ?"
      ).bind(1, first).bind(2, try JournalKey.last(of: task.key)).bind(3, limit).all { JournalRecord($0) }
      return TaskProgress(
        task: task, records: records, subtasks: try Store.subtasks(of: id, in: organization, database))
    }
  }

  /// The direct sub-tasks of a task, oldest first.
  package func subtaskList(of id: String, in organization: String) throws(StoreError) -> [Subtask] {
    try readOnce { (database: Database) throws(StoreError) -> [Subtask] in
      try Store.subtasks(of: id, in: organization, database)
    }
  }

  /// The records of a task that hold what was said: prompts, answers, the text of those that were cut off, and what tools
  /// were asked and have answered.
  package func texts(of task: TaskRow) throws(StoreError) -> [JournalRecord] {
    let first = try JournalKey.of(0, of: task.key)
    let last = try JournalKey.last(of: task.key)
    return try readOnce { (database: Database) throws(StoreError) -> [JournalRecord] in
      try database.statement(
        """
        SELECT \(JournalRecord.columns) FROM journal j
        WHERE j.key BETWEEN ? AND ? AND (j.role IS NOT NULL OR j.kind IN (2, 5, 7)) ORDER BY j.key
        """
      ).bind(1, first).bind(2, last).all { JournalRecord($0) }
    }
  }
}
