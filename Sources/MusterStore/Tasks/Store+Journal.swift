import MusterSystem

extension Store {
  // MARK: - Turns

  /// Begins a turn: makes or resets the task's row, takes the task into this process's ownership, and appends the first
  /// record.
  package func beginTurn(_ start: TurnStart, durable: Bool) throws(StoreError) -> TurnBeginning {
    let owner = owner
    return try write(owed: durable) { (database: Database) throws(StoreError) -> TurnBeginning in
      // In the transaction that makes the task: an agent that is deleted later takes the task along.
      let agent = try database.statement("SELECT 1 FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, start.agentID).bind(2, start.organizationID).first { $0.integer(0) }
      if agent == nil { return .agentGone }
      let known = try Store.task(start.taskID, in: start.organizationID, database)
      // The agent is compared too: meanwhile the task may have been deleted, and made again by another agent.
      guard (known?.sequence ?? 0) == start.afterSequence, known?.status.isFinal ?? true,
        known.map({ $0.agentID == start.agentID }) ?? true
      else { return .changed }
      let position = try Store.nextPosition(database)
      let now = start.entry.time.microseconds
      let sequence = start.afterSequence &+ 1
      let key: Int64
      if let known {
        key = known.key
        try Store.moveTask(key, to: position, in: start.organizationID, database)
        try database.statement(
          """
          UPDATE tasks SET updated_at = ?, status = ?, internal_status = NULL, is_manually_stopped = 0,
            started_at = ?, finished_at = NULL, turn = turn + 1, sequence = ?, first_sequence = ?,
            result_sequence = NULL, system_sequence = CASE WHEN ? THEN ? ELSE system_sequence END, owner = ?,
            fence = fence + 1, title = ?, user_id = ?, parent_id = coalesce(?, parent_id), triggering_agent_id = ?,
            prompt_tokens = NULL, completion_tokens = NULL
          WHERE key = ?
          """
        )
        .bind(1, now).bind(2, TaskStatus.executing.rawValue).bind(3, now).bind(4, sequence).bind(5, sequence)
        .bind(6, start.carriesSystemMessage ? 1 : 0).bind(7, sequence).bind(8, owner).bind(9, start.title)
        .bind(10, start.userID).bind(11, start.parentID).bind(12, start.triggeringAgentID).bind(13, key).run()
      } else {
        try database.statement(
          """
          INSERT INTO tasks (organization_id, id, agent_id, position, created_at, updated_at, status,
            is_manually_stopped, started_at, turn, sequence, first_sequence, system_sequence, owner, fence, title, user_id,
            parent_id, triggering_agent_id)
          VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, 1, 1, 1, ?, ?, ?, ?, ?, ?, ?)
          """
        )
        .bind(1, start.organizationID).bind(2, start.taskID).bind(3, start.agentID).bind(4, position).bind(5, now)
        .bind(6, now).bind(7, TaskStatus.executing.rawValue).bind(8, now)
        // The fence starts at a number that no earlier task with the same key and owner had: SQLite uses keys again.
        .bind(9, start.carriesSystemMessage ? 1 : nil).bind(10, owner).bind(11, position).bind(12, start.title)
        .bind(13, start.userID).bind(14, start.parentID).bind(15, start.triggeringAgentID).run()
        key = try database.integer("SELECT last_insert_rowid()")
        try ListCount.tasks.add(1, at: position, in: start.organizationID, database)
      }
      guard let row = try Store.task(start.taskID, in: start.organizationID, database) else {
        throw .failed("a task that was just written is missing")
      }
      try Store.append(start.entry, sequence: sequence, turn: row.turn, to: key, database)
      return .begun(row)
    }
  }

  /// Appends a record to a task that this process runs. Nil when the task is not ours any more: somebody stopped or
  /// deleted it, or took it over; then nothing is written. With `end` the turn ends with this record, which then holds
  /// the result.
  package func append(
    _ entry: JournalEntry, to task: TaskRow, end: TurnEnd?, durable: Bool
  ) throws(StoreError) -> TaskRow? {
    let owner = owner
    return try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      guard let known = try Store.task(task.id, in: task.organizationID, database), known.key == task.key,
        known.fence == task.fence, known.owner == owner
      else { return nil }
      return try Store.append(entry, to: known, end: end, database)
    }
  }

  /// Ends a task from outside of its run: whoever runs it finds that it is not theirs any more. Nil when the task has
  /// changed since it was read.
  package func seize(
    _ task: TaskRow, with entry: JournalEntry, end: TurnEnd, durable: Bool
  ) throws(StoreError) -> TaskRow? {
    try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      guard let known = try Store.task(task.id, in: task.organizationID, database), known.key == task.key,
        known.fence == task.fence, known.sequence == task.sequence, !known.status.isFinal
      else { return nil }
      return try Store.append(entry, to: known, end: end, database)
    }
  }

  private static func append(
    _ entry: JournalEntry, to task: TaskRow, end: TurnEnd?, _ database: Database
  ) throws(StoreError) -> TaskRow? {
    let sequence = task.sequence &+ 1
    try append(entry, sequence: sequence, turn: task.turn, to: task.key, database)
    guard let end else {
      try database.statement("UPDATE tasks SET sequence = ? WHERE key = ?")
        .bind(1, sequence).bind(2, task.key).run()
      return try Store.task(task.id, in: task.organizationID, database)
    }
    let position = try nextPosition(database)
    try moveTask(task.key, to: position, in: task.organizationID, database)
    try database.statement(
      """
      UPDATE tasks SET sequence = ?, updated_at = ?, finished_at = ?, status = ?, internal_status = ?,
        is_manually_stopped = ?, result_sequence = ?, owner = NULL, fence = fence + 1, prompt_tokens = ?,
        completion_tokens = ?
      WHERE key = ?
      """
    )
    .bind(1, sequence).bind(2, entry.time.microseconds).bind(3, entry.time.microseconds)
    .bind(4, end.status.rawValue).bind(5, end.internalStatus).bind(6, end.isManuallyStopped ? 1 : 0)
    .bind(7, sequence).bind(8, end.promptTokens).bind(9, end.completionTokens).bind(10, task.key).run()
    return try Store.task(task.id, in: task.organizationID, database)
  }

  /// Puts a task at the top of its list.
  private static func moveTask(
    _ key: Int64, to position: Int64, in organization: String, _ database: Database
  ) throws(StoreError) {
    let old = try database.statement("SELECT position FROM tasks WHERE key = ?").bind(1, key).first { $0.integer(0) }
    guard let old else { throw .failed("a task that was just read is missing") }
    try ListCount.tasks.move(from: old, to: position, in: organization, database)
    try database.statement("UPDATE tasks SET position = ? WHERE key = ?").bind(1, position).bind(2, key).run()
  }

  private static func append(
    _ entry: JournalEntry, sequence: Int64, turn: Int64, to task: Int64, _ database: Database
  ) throws(StoreError) {
    try database.statement(
      """
      INSERT INTO journal (task, turn, sequence, kind, format, time, role, body, commands)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    )
    .bind(1, task).bind(2, turn).bind(3, sequence).bind(4, entry.kind).bind(5, entry.format)
    .bind(6, entry.time.microseconds).bind(7, entry.role?.rawValue).bind(8, entry.body).bind(9, entry.commands).run()
  }

  // MARK: - Reading

  /// The records of the latest turn, in order.
  package func recordsOfTurn(_ task: TaskRow) throws(StoreError) -> [JournalRecord] {
    try records(
      """
      SELECT turn, sequence, kind, format, time, role, body, commands FROM journal
      WHERE task = ? AND sequence >= ? ORDER BY sequence
      """, task.key, task.firstSequence)
  }

  /// The messages of the turns from `turn` on, in order.
  package func messages(of task: TaskRow, fromTurn turn: Int64) throws(StoreError) -> [JournalRecord] {
    try records(
      """
      SELECT turn, sequence, kind, format, time, role, body, commands FROM journal INDEXED BY journal_messages
      WHERE task = ? AND turn >= ? AND role IS NOT NULL ORDER BY turn, sequence
      """, task.key, turn)
  }

  /// The record with a number, of whatever turn.
  package func record(_ sequence: Int64, of task: TaskRow) throws(StoreError) -> JournalRecord? {
    try records(
      "SELECT turn, sequence, kind, format, time, role, body, commands FROM journal WHERE task = ? AND sequence = ?",
      task.key, sequence
    ).first
  }

  private func records(_ sql: String, _ first: Int64, _ second: Int64) throws(StoreError) -> [JournalRecord] {
    try read { (database: Database) throws(StoreError) -> [JournalRecord] in
      try database.statement(sql).bind(1, first).bind(2, second).all { JournalRecord($0) }
    }
  }

  // MARK: - Inventory

  /// The unfinished tasks whose owners are dead.
  package func abandonedTasks() throws(StoreError) -> [TaskRow] {
    let owners = try read { (database: Database) throws(StoreError) -> [Int64] in
      try database.statement("SELECT DISTINCT owner FROM tasks WHERE owner IS NOT NULL").all { $0.integer(0) }
    }
    var found: [TaskRow] = []
    for dead in owners where !isAlive(dead) {
      found += try read { (database: Database) throws(StoreError) -> [TaskRow] in
        try database.statement("SELECT \(TaskRow.columns) FROM tasks t WHERE t.owner = ? ORDER BY t.key")
          .bind(1, dead).all { TaskRow($0) }
      }
    }
    return found
  }

  /// Removes the numbers of dead processes that own no task.
  package func forgetDeadOwners() throws(StoreError) {
    let owners = try read { (database: Database) throws(StoreError) -> [Int64] in
      try database.statement(
        "SELECT id FROM owners o WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.owner = o.id)"
      ).all { $0.integer(0) }
    }
    let dead = owners.filter { !isAlive($0) }
    if dead.isEmpty { return }
    try write(owed: false) { (database: Database) throws(StoreError) in
      for owner in dead { try database.statement("DELETE FROM owners WHERE id = ?").bind(1, owner).run() }
    }
  }
}
