import MusterSystem

extension Store {
  // MARK: - Turns

  /// A row if the agent is there; nothing but NULL in it, up to the agent's state, if the task is not.
  private static let selectTaskOfAgent = """
    SELECT \(TaskRow.columns), \(deployedStateColumns)
    FROM agents a \(deployedVersion) LEFT JOIN tasks t ON t.id = ? AND t.organization_id = a.organization_id
    WHERE a.id = ? AND a.organization_id = ?
    """

  /// Begins a turn: makes or resets the task's row, takes the task into this process's ownership, and appends the first
  /// record.
  package func beginTurn(_ start: TurnStart, durable: Bool) throws(StoreError) -> TurnBeginning {
    let (owner, mark) = (owner, runningMark)
    let (beginning, moved) = try write(owed: durable) {
      (database: Database) throws(StoreError) -> (TurnBeginning, RunningMark?) in
      // In the transaction that makes the task: an agent that is deleted later takes the task along.
      let found = try database.statement(Store.selectTaskOfAgent).bind(1, start.taskID).bind(2, start.agentID)
        .bind(3, start.organizationID).first { row in
          (task: row.isNull(0) ? nil : TaskRow(row), agent: Store.deployedState(row, from: TaskRow.columnCount))
        }
      guard let found else { return (.agentGone, nil) }
      if let state = start.agentState, found.agent.state != state { return (.agentChanged, nil) }
      // The agent is compared too: meanwhile the task may have been deleted, and made again by another agent.
      guard (found.task?.sequence ?? 0) == start.afterSequence, found.task?.status.isFinal ?? true,
        found.task.map({ $0.agentID == start.agentID }) ?? true
      else { return (.changed, nil) }
      let position = try Store.nextPosition(database)
      let task: TaskRow
      if let known = found.task {
        task = known.beginning(start, at: position, owner: owner)
        try ListCount.tasks.move(from: known.position, to: position, in: task.organizationID, database)
        try Store.update(task, database)
      } else {
        task = TaskRow(start, at: position, owner: owner)
        task.key = try Store.insert(task, database)
        try ListCount.tasks.add(1, at: position, in: task.organizationID, database)
      }
      try Store.insert(start.entry, of: task, database)
      try Store.remember(start.idempotency, turn: task.turn, database)
      // Now that the task is there: it is one of those that the mark stands before.
      let moved = mark.isDue(at: position) ? try Store.move(mark, of: owner, at: position, database) : nil
      return (.begun(task, secrets: start.agentState == nil ? nil : found.agent.secrets), moved)
    }
    if let moved { runningMark = moved }
    return beginning
  }

  static func insert(_ task: TaskRow, _ database: Database) throws(StoreError) -> Int64 {
    try database.statement(
      """
      INSERT INTO tasks (organization_id, id, agent_id, position, created_at, updated_at, status, is_manually_stopped,
        started_at, turn, sequence, first_sequence, system_sequence, owner, fence, title, user_id, parent_id,
        triggering_agent_id)
      VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    )
    .bind(1, task.organizationID).bind(2, task.id).bind(3, task.agentID).bind(4, task.position)
    .bind(5, task.createdAt.microseconds).bind(6, task.updatedAt.microseconds).bind(7, task.status.rawValue)
    .bind(8, task.startedAt?.microseconds).bind(9, task.turn).bind(10, task.sequence).bind(11, task.firstSequence)
    .bind(12, task.systemSequence).bind(13, task.owner).bind(14, task.fence).bind(15, task.title)
    .bind(16, task.userID).bind(17, task.parentID).bind(18, task.triggeringAgentID).run()
    return database.lastInsertedKey
  }

  /// Writes what the beginning of a further turn changes.
  private static func update(_ task: TaskRow, _ database: Database) throws(StoreError) {
    try database.statement(
      """
      UPDATE tasks SET position = ?, updated_at = ?, status = ?, internal_status = NULL, is_manually_stopped = 0,
        started_at = ?, finished_at = NULL, turn = ?, sequence = ?, first_sequence = ?, result_sequence = NULL,
        system_sequence = ?, owner = ?, fence = ?, title = ?, user_id = ?, parent_id = ?, triggering_agent_id = ?,
        prompt_tokens = NULL, completion_tokens = NULL
      WHERE key = ?
      """
    )
    .bind(1, task.position).bind(2, task.updatedAt.microseconds).bind(3, task.status.rawValue)
    .bind(4, task.startedAt?.microseconds).bind(5, task.turn).bind(6, task.sequence).bind(7, task.firstSequence)
    .bind(8, task.systemSequence).bind(9, task.owner).bind(10, task.fence).bind(11, task.title)
    .bind(12, task.userID).bind(13, task.parentID).bind(14, task.triggeringAgentID).bind(15, task.key).run()
  }

  /// Appends a record to a task that this process runs. Nil when the task is not ours any more: somebody stopped or
  /// deleted it, or took it over; then nothing is written.
  package func append(_ entry: JournalEntry, to known: TaskRow, durable: Bool) throws(StoreError) -> TaskRow? {
    let owner = owner
    return try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      guard known.owner == owner else { return nil }
      let task = known.appending()
      let update = try database.statement(Store.updateSequence).bind(1, task.sequence)
      guard try Store.run(update, ifUnchanged: known, from: 2, database) else { return nil }
      try Store.insert(entry, of: task, database)
      return task
    }
  }

  /// Ends the turn of a task that this process runs with a record that holds the result; with the sub-tasks as they
  /// stand then. Nil as in `append`.
  package func endTurn(
    of task: TaskRow, with entry: JournalEntry, _ end: TurnEnd, durable: Bool
  ) throws(StoreError) -> (task: TaskRow, subtasks: [Subtask])? {
    let owner = owner
    return try write(owed: durable) { (database: Database) throws(StoreError) in
      guard task.owner == owner, let ended = try Store.end(task, with: entry, end, database) else { return nil }
      // Read here and not afterwards: what this connection knows of the file is still in its memory.
      return (ended, try Store.subtasks(of: task.id, in: task.organizationID, database))
    }
  }

  /// Ends a task from outside of its run: whoever runs it finds that it is not theirs any more. Nil when the task has
  /// changed since it was read.
  package func seize(
    _ task: TaskRow, with entry: JournalEntry, end: TurnEnd, durable: Bool
  ) throws(StoreError) -> TaskRow? {
    try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      if task.status.isFinal { return nil }
      return try Store.end(task, with: entry, end, database)
    }
  }

  /// Ends an update of a task that has to be as it was read. Nobody begins or ends a turn without a new fence, and
  /// nothing else of the row changes without a record.
  private static let ifUnchanged = "WHERE key = ? AND fence = ? AND sequence = ? AND owner IS ?"

  private static let updateSequence = "UPDATE tasks SET sequence = ? \(ifUnchanged)"

  private static let updateAtEnd = """
    UPDATE tasks SET sequence = ?, updated_at = ?, finished_at = ?, status = ?, internal_status = ?,
      is_manually_stopped = ?, result_sequence = ?, owner = NULL, fence = ?, prompt_tokens = ?, completion_tokens = ?
    \(ifUnchanged)
    """

  /// To name a column is to write its indexes, whether or not it changes.
  private static let updatePosition = "UPDATE tasks SET position = ? WHERE key = ?"

  /// Runs such an update, whose last parameters, from this one on, are still free. False when the task has changed; then
  /// nothing is written.
  private static func run(
    _ update: Statement, ifUnchanged task: TaskRow, from parameter: Int32, _ database: Database
  ) throws(StoreError) -> Bool {
    try update.bind(parameter, task.key).bind(parameter + 1, task.fence).bind(parameter + 2, task.sequence)
      .bind(parameter + 3, task.owner).run()
    return database.changes == 1
  }

  /// Nil when the task has changed since it was read.
  private static func end(
    _ known: TaskRow, with entry: JournalEntry, _ end: TurnEnd, _ database: Database
  ) throws(StoreError) -> TaskRow? {
    let position = try database.tally.position(after: known.position, database)
    let task = known.ending(end, with: entry, at: position)
    let update = try database.statement(updateAtEnd)
      .bind(1, task.sequence).bind(2, task.updatedAt.microseconds).bind(3, task.finishedAt?.microseconds)
      .bind(4, task.status.rawValue).bind(5, task.internalStatus).bind(6, task.isManuallyStopped ? 1 : 0)
      .bind(7, task.resultSequence).bind(8, task.fence).bind(9, task.promptTokens).bind(10, task.completionTokens)
    guard try run(update, ifUnchanged: known, from: 11, database) else { return nil }
    if position != known.position {
      try database.statement(updatePosition).bind(1, position).bind(2, task.key).run()
    }
    try ListCount.tasks.move(from: known.position, to: position, in: task.organizationID, database)
    try insert(entry, of: task, database)
    return task
  }

  /// Writes the record that a task has got last.
  static func insert(_ entry: JournalEntry, of task: TaskRow, _ database: Database) throws(StoreError) {
    try database.statement(
      "INSERT INTO journal (key, turn, kind, format, time, role, body, commands) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    .bind(1, try JournalKey.of(task.sequence, of: task.key)).bind(2, task.turn).bind(3, entry.kind)
    .bind(4, entry.format).bind(5, entry.time.microseconds).bind(6, entry.role?.rawValue).bind(7, entry.body)
    .bind(8, entry.commands).run()
  }

  // MARK: - Reading

  /// The records of the latest turn, in order, as far as the row knows them: others may have gone on since it was read, and
  /// begun another turn.
  package func recordsOfTurn(_ task: TaskRow) throws(StoreError) -> [JournalRecord] {
    let first = try JournalKey.of(task.firstSequence, of: task.key)
    let last = try JournalKey.of(task.sequence, of: task.key)
    return try readOnce { (database: Database) throws(StoreError) -> [JournalRecord] in
      try database.statement(
        "SELECT \(JournalRecord.columns) FROM journal j WHERE j.key BETWEEN ? AND ? ORDER BY j.key"
      )
      .bind(1, first).bind(2, last).all { JournalRecord($0) }
    }
  }

  /// The messages of the turns from `turn` on, in order.
  package func messages(of task: TaskRow, fromTurn turn: Int64) throws(StoreError) -> [JournalRecord] {
    let first = try JournalKey.of(0, of: task.key)
    let last = try JournalKey.last(of: task.key)
    return try readOnce { (database: Database) throws(StoreError) -> [JournalRecord] in
      // From the end until an earlier turn: a long thread costs no more than a short one.
      let statement = try database.statement(
        """
        SELECT \(JournalRecord.columns) FROM journal j
        WHERE j.key BETWEEN ? AND ? AND j.role IS NOT NULL ORDER BY j.key DESC
        """
      ).bind(1, first).bind(2, last)
      defer { statement.reset() }
      var found: [JournalRecord] = []
      while try statement.step(), statement.integer(0) >= turn { found.append(JournalRecord(statement)) }
      return found.reversed()
    }
  }

  /// The records of the turns from `turn` on that were over when the latest one began, in order.
  package func recordsOfEarlierTurns(of task: TaskRow, fromTurn turn: Int64) throws(StoreError) -> [JournalRecord] {
    let first = try JournalKey.of(0, of: task.key)
    let last = try JournalKey.of(max(task.firstSequence &- 1, 0), of: task.key)
    return try readOnce { (database: Database) throws(StoreError) -> [JournalRecord] in
      // From the end until an earlier turn: a long thread costs no more than a short one.
      let statement = try database.statement(
        "SELECT \(JournalRecord.columns) FROM journal j WHERE j.key BETWEEN ? AND ? ORDER BY j.key DESC"
      ).bind(1, first).bind(2, last)
      defer { statement.reset() }
      var found: [JournalRecord] = []
      while try statement.step(), statement.integer(0) >= turn { found.append(JournalRecord(statement)) }
      return found.reversed()
    }
  }

  /// The first record of the last turn whose beginning has this text in it.
  package func beginning(with text: String, of task: TaskRow) throws(StoreError) -> JournalRecord? {
    let first = try JournalKey.of(0, of: task.key)
    let last = try JournalKey.of(task.sequence, of: task.key)
    return try readOnce { (database: Database) throws(StoreError) -> JournalRecord? in
      try database.statement(
        """
        SELECT \(JournalRecord.columns) FROM journal j
        WHERE j.key BETWEEN ? AND ? AND j.kind = 1 AND instr(j.body, ?) > 0 ORDER BY j.key DESC LIMIT 1
        """
      ).bind(1, first).bind(2, last).bind(3, text).first { JournalRecord($0) }
    }
  }

  /// The record with a number, of whatever turn.
  package func record(_ sequence: Int64, of task: TaskRow) throws(StoreError) -> JournalRecord? {
    try readOnce { (database: Database) throws(StoreError) -> JournalRecord? in
      try Store.record(sequence, of: task, database)
    }
  }

  static func record(
    _ sequence: Int64, of task: TaskRow, _ database: Database
  ) throws(StoreError) -> JournalRecord? {
    try database.statement("SELECT \(JournalRecord.columns) FROM journal j WHERE j.key = ?")
      .bind(1, try JournalKey.of(sequence, of: task.key)).first { JournalRecord($0) }
  }
}
