import MusterSystem

extension Store {
  // MARK: - Tasks in nobody's hands

  private static let updateHands = """
    UPDATE tasks SET sequence = ?, updated_at = ?, status = ?, owner = ?, fence = ?, position = ?
    WHERE key = ? AND fence = ? AND sequence = ? AND owner IS ?
    """

  /// Puts a task aside whose turn has not ended: `pending` until somebody goes on with it, or `paused` until a person has
  /// decided; with a further record, if there is one. Nil when it has changed since it was read; then nothing is written.
  package func park(
    _ known: TaskRow, as status: TaskStatus, with entry: JournalEntry?, durable: Bool
  ) throws(StoreError) -> TaskRow? {
    try write(owed: durable) { (database: Database) throws(StoreError) -> TaskRow? in
      if known.status.isFinal { return nil }
      let position = try Store.nextPosition(database)
      let task = known.parking(status, with: entry, at: position)
      guard try Store.changeHands(known, task, database) else { return nil }
      if let entry { try Store.insert(entry, of: task, database) }
      return task
    }
  }

  /// Puts tasks aside, `pending`, in one transaction. Whether each was, as in the other `park`.
  package func park(_ known: [TaskRow]) throws(StoreError) -> [Bool] {
    try write(owed: false) { (database: Database) throws(StoreError) -> [Bool] in
      var parked: [Bool] = []
      for known in known {
        if known.status.isFinal {
          parked.append(false)
          continue
        }
        let task = known.parking(.pending, with: nil, at: try Store.nextPosition(database))
        parked.append(try Store.changeHands(known, task, database))
      }
      return parked
    }
  }

  /// Takes tasks that were put aside into this process's hands, in one transaction, each with a further record. Nil, for
  /// each, as in `park`.
  package func adopt(
    _ all: [(known: TaskRow, entry: JournalEntry)], durable: Bool
  ) throws(StoreError) -> [TaskRow?] {
    let owner = owner
    return try write(owed: durable) { (database: Database) throws(StoreError) -> [TaskRow?] in
      var adopted: [TaskRow?] = []
      for (known, entry) in all {
        guard known.owner == nil, known.status == .pending else {
          adopted.append(nil)
          continue
        }
        let task = known.adopting(owner, with: entry, at: try Store.nextPosition(database))
        guard try Store.changeHands(known, task, database) else {
          adopted.append(nil)
          continue
        }
        try Store.insert(entry, of: task, database)
        adopted.append(task)
      }
      return adopted
    }
  }

  private static func changeHands(
    _ known: TaskRow, _ task: TaskRow, _ database: Database
  ) throws(StoreError) -> Bool {
    try database.statement(updateHands)
      .bind(1, task.sequence).bind(2, task.updatedAt.microseconds).bind(3, task.status.rawValue).bind(4, task.owner)
      .bind(5, task.fence).bind(6, task.position).bind(7, known.key).bind(8, known.fence).bind(9, known.sequence)
      .bind(10, known.owner).run()
    guard database.changes == 1 else { return false }
    try ListCount.tasks.move(from: known.position, to: task.position, in: task.organizationID, database)
    return true
  }

  /// The tasks that were put aside and wait for nobody but a process that goes on with them, oldest first.
  package func parkedTasks() throws(StoreError) -> [TaskRow] {
    try readOnce { (database: Database) throws(StoreError) -> [TaskRow] in
      try database.statement(
        "SELECT \(TaskRow.columns) FROM tasks t WHERE t.owner IS NULL AND t.status = 1 ORDER BY t.key"
      ).all { TaskRow($0) }
    }
  }
}
