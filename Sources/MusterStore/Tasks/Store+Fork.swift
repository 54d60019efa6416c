import MusterSystem

extension Store {
  /// Makes a task of the first records of another one. It waits, `pending` and in nobody's hands, for who goes on with it.
  /// Nil when the other one is gone; then nothing is written.
  ///
  /// The records are copied, not referred to: each task can be deleted without the other, and is read as any task is.
  package func fork(_ start: ForkStart, durable: Bool) throws(StoreError) -> TaskRow? {
    let now = Timestamp.now()
    return try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      let source = start.source
      // SQLite uses keys again: a task that was made since is another one.
      let isThere = try database.statement(
        "SELECT 1 FROM tasks WHERE key = ? AND id = ? AND organization_id = ? AND created_at = ?"
      ).bind(1, source.key).bind(2, source.id).bind(3, source.organizationID).bind(4, source.createdAt.microseconds)
        .first { _ in true }
      guard isThere != nil else { return nil }
      let position = try Store.nextPosition(database)
      let task = TaskRow(start, at: position, at: now)
      task.key = try Store.insert(task, database)
      try database.statement("UPDATE tasks SET forked_from = ?, forked_at = ? WHERE key = ?")
        .bind(1, task.forkedFrom).bind(2, task.forkedAt).bind(3, task.key).run()
      try ListCount.tasks.add(1, at: position, in: task.organizationID, database)
      try Store.copy(start, to: task, database)
      if let entry = start.entry { try Store.insert(entry, of: task, database) }
      try Store.remember(start.idempotency, turn: task.turn, database)
      return task
    }
  }

  /// The ids of the tasks that go on from another one.
  package func forks(of id: String, in organization: String) throws(StoreError) -> [String] {
    try read { (database: Database) throws(StoreError) -> [String] in
      try database.statement(
        "SELECT id FROM tasks WHERE forked_from = ? AND forked_from IS NOT NULL AND organization_id = ? ORDER BY key"
      ).bind(1, id).bind(2, organization).all { $0.text(0) }
    }
  }

  private static func copy(_ start: ForkStart, to task: TaskRow, _ database: Database) throws(StoreError) {
    let from = try JournalKey.of(0, of: start.source.key)
    let first = try JournalKey.of(1, of: start.source.key)
    let last = try JournalKey.of(start.through, of: start.source.key)
    let changed = try start.beginning == nil ? -1 : JournalKey.of(start.firstSequence, of: start.source.key)
    try database.statement(
      """
      INSERT INTO journal (key, turn, kind, format, time, role, body, commands)
      SELECT key - ?1 + ?2, turn, kind, format, time, role, CASE key WHEN ?3 THEN ?4 ELSE body END, commands
      FROM journal WHERE key BETWEEN ?5 AND ?6 ORDER BY key
      """
    ).bind(1, from).bind(2, try JournalKey.of(0, of: task.key)).bind(3, changed).bind(4, start.beginning)
      .bind(5, first).bind(6, last).run()
    guard database.changes == start.through else {
      throw .failed("task \(start.source.id) has not the records that a fork of it begins with")
    }
  }
}
