import MusterSystem

extension Store {
  private static let selectTask = "SELECT \(TaskRow.columns) FROM tasks t WHERE t.id = ? AND t.organization_id = ?"

  static func task(_ id: String, in organization: String, _ database: Database) throws(StoreError) -> TaskRow? {
    try database.statement(selectTask).bind(1, id).bind(2, organization).first { TaskRow($0) }
  }

  /// A task.
  package func task(_ id: String, in organization: String) throws(StoreError) -> Lookup<TaskRow> {
    try read { (database: Database) throws(StoreError) -> Lookup<TaskRow> in
      if let row = try Store.task(id, in: organization, database) { return .found(row) }
      return try Store.isForeignTask(id, database) ? .foreign : .missing
    }
  }

  private static func isForeignTask(_ id: String, _ database: Database) throws(StoreError) -> Bool {
    try database.statement("SELECT 1 FROM tasks WHERE id = ?").bind(1, id).first { _ in true } ?? false
  }

  /// The agent of a task; nil when the organization has no such task.
  package func agent(ofTask id: String, in organization: String) throws(StoreError) -> String? {
    try readOnce { (database: Database) throws(StoreError) -> String? in
      try database.statement("SELECT agent_id FROM tasks WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).first { $0.text(0) }
    }
  }

  /// A task with the first record of its latest turn, the record that holds its result, and how its direct sub-tasks
  /// stand, oldest first: all of one moment.
  package func taskWithRecords(
    _ id: String, in organization: String
  ) throws(StoreError) -> Lookup<(task: TaskRow, first: JournalRecord?, result: JournalRecord?, subtasks: [Subtask])> {
    try read { (database: Database) throws(StoreError) in
      guard let row = try Store.task(id, in: organization, database) else {
        return try Store.isForeignTask(id, database) ? .foreign : .missing
      }
      let first = try Store.record(row.firstSequence, of: row, database)
      var result: JournalRecord?
      if let sequence = row.resultSequence { result = try Store.record(sequence, of: row, database) }
      return .found((row, first, result, try Store.subtasks(of: id, in: organization, database)))
    }
  }

  // MARK: - Lists

  /// A page of tasks, the last changed first.
  package func tasks(
    _ page: PageRequest, matching filter: TaskFilter, in organization: String
  ) throws(StoreError) -> Page<TaskListRow> {
    let condition = TaskCondition(filter)
    return try read { (database: Database) throws(StoreError) -> Page<TaskListRow> in
      var below = Int64.max
      var skip = page.offset
      let total: Int64
      if condition.isEmpty {
        total = try ListCount.tasks.total(in: organization, database)
        if page.offset < total {
          (below, skip) = try ListCount.tasks.start(offset: page.offset, in: organization, database)
        }
      } else {
        let count = try database.statement("SELECT count(*) FROM tasks t WHERE t.organization_id = ?\(condition.sql)")
        total = try condition.bind(to: count.bind(1, organization), from: 2).first { $0.integer(0) } ?? 0
      }
      guard page.offset < total else { return Page(rows: [], total: total) }
      let statement = try database.statement(
        """
        SELECT \(TaskRow.columns), \(JournalRecord.columns)
        FROM tasks t LEFT JOIN journal j ON j.key = t.key << \(JournalKey.sequenceBits) | t.result_sequence
        WHERE t.organization_id = ? AND t.position < ?\(condition.sql)
        ORDER BY t.position DESC LIMIT ? OFFSET ?
        """)
      condition.bind(to: statement.bind(1, organization).bind(2, below), from: 3)
        .bind(condition.count + 3, page.count).bind(condition.count + 4, skip)
      let rows = try statement.all { row in
        let hasResult = !row.isNull(TaskRow.columnCount)
        return TaskListRow(
          task: TaskRow(row), result: hasResult ? JournalRecord(row, from: TaskRow.columnCount) : nil)
      }
      return Page(rows: rows, total: total)
    }
  }

  // MARK: - Deleting

  /// Removes a task, its sub-tasks at every level, and their journals; gives the ids of all that were removed, nothing
  /// when it is not there.
  package func deleteTask(_ id: String, in organization: String, durable: Bool) throws(StoreError) -> [String] {
    try deleteTask(id, in: organization, onlyOf: nil, durable: durable) ?? []
  }

  /// The same; but nil, and nothing is removed, when one of them belongs to an agent that is not among `agents`. `call`: of the
  /// task above, which the latest turn answers.
  package func deleteTask(
    _ id: String, in organization: String, onlyOf agents: [String]?, answering call: String? = nil, durable: Bool
  ) throws(StoreError) -> [String]? {
    try write(owed: durable) { (database: Database) throws(StoreError) -> [String]? in
      var open = [id]
      var doomed: [(id: String, key: Int64, position: Int64)] = []
      var seen: Set<String> = [id]
      while let next = open.popLast() {
        let task = try database.statement(
          "SELECT key, position, agent_id FROM tasks WHERE id = ? AND organization_id = ?"
        ).bind(1, next).bind(2, organization).first { (key: $0.integer(0), position: $0.integer(1), agent: $0.text(2)) }
        guard let task else { continue }
        if let agents, !agents.contains(task.agent) { return nil }
        doomed.append((next, task.key, task.position))
        let subtasks = try database.statement("SELECT id FROM tasks WHERE parent_id = ? AND organization_id = ?")
          .bind(1, next).bind(2, organization).all { $0.text(0) }
        for subtask in subtasks where seen.insert(subtask).inserted { open.append(subtask) }
      }
      try Store.rememberDeleted(id, answering: call, in: organization, database)
      for task in doomed {
        try Store.deleteTask(key: task.key, position: task.position, in: organization, database)
      }
      return doomed.map { $0.id }
    }
  }

  static func deleteTask(
    key: Int64, position: Int64, in organization: String, _ database: Database
  ) throws(StoreError) {
    try database.statement("DELETE FROM journal WHERE key BETWEEN ? AND ?")
      .bind(1, try JournalKey.of(0, of: key)).bind(2, try JournalKey.last(of: key)).run()
    try database.statement("DELETE FROM tasks WHERE key = ?").bind(1, key).run()
    try database.statement("DELETE FROM deleted_subtasks WHERE parent = ?").bind(1, key).run()
    try ListCount.tasks.add(-1, at: position, in: organization, database)
  }

  private static func rememberDeleted(
    _ id: String, answering call: String?, in organization: String, _ database: Database
  ) throws(StoreError) {
    let parent = try database.statement(
      """
      SELECT p.key, p.status FROM tasks t JOIN tasks p ON p.id = t.parent_id AND p.organization_id = t.organization_id
      WHERE t.id = ? AND t.organization_id = ?
      """
    ).bind(1, id).bind(2, organization).first { (key: $0.integer(0), status: TaskStatus(rawValue: $0.integer(1))) }
    guard let parent, parent.status?.isFinal == false else { return }
    for name in [id, call ?? id] {
      try database.statement("INSERT OR IGNORE INTO deleted_subtasks (parent, id) VALUES (?, ?)")
        .bind(1, parent.key).bind(2, name).run()
    }
  }

  /// Whether a sub-task was deleted while the task above had not ended.
  package func wasDeleted(_ id: String, below parent: TaskRow) throws(StoreError) -> Bool {
    try read { (database: Database) throws(StoreError) -> Bool in
      try database.statement("SELECT 1 FROM deleted_subtasks WHERE parent = ? AND id = ?")
        .bind(1, parent.key).bind(2, id).first { _ in true } ?? false
    }
  }

  /// The direct sub-tasks, oldest first.
  package func subtasks(of id: String, in organization: String) throws(StoreError) -> [TaskRow] {
    try read { (database: Database) throws(StoreError) -> [TaskRow] in
      try database.statement(
        "SELECT \(TaskRow.columns) FROM tasks t WHERE t.parent_id = ? AND t.organization_id = ? ORDER BY t.key"
      ).bind(1, id).bind(2, organization).all { TaskRow($0) }
    }
  }

  /// The ids of the direct sub-tasks, oldest first, and how they stand.
  static func subtasks(
    of id: String, in organization: String, _ database: Database
  ) throws(StoreError) -> [Subtask] {
    try database.statement(
      "SELECT id, status, created_at, finished_at FROM tasks WHERE parent_id = ? AND organization_id = ? ORDER BY key"
    ).bind(1, id).bind(2, organization).all {
      Subtask(
        id: $0.text(0), status: TaskStatus(rawValue: $0.integer(1)) ?? .error,
        createdAt: Timestamp(microseconds: $0.integer(2)),
        finishedAt: $0.optionalInteger(3).map { Timestamp(microseconds: $0) })
    }
  }
}
