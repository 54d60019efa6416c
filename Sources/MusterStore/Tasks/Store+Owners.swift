import CPlatform
import MusterSystem

extension Store {
  /// To be joined to a row `o` of `owners`: the tasks `t` that the process runs.
  private static let tasksOfOwner = """
    organizations g CROSS JOIN tasks t ON t.organization_id = g.id AND t.position > o.since AND t.owner = o.id
    """

  /// Takes a number for this process, and gives it with the mark that it begins with.
  static func insertOwner(_ database: Database) throws(StoreError) -> (owner: Int64, mark: RunningMark) {
    let last = try database.integer("SELECT value FROM meta WHERE key = 'sequence'")
    try database.statement("INSERT INTO owners (process_id, opened_at, since) VALUES (?, ?, ?)")
      .bind(1, Int64(platform_process_id())).bind(2, Timestamp.now().microseconds).bind(3, last).run()
    return (database.lastInsertedKey, RunningMark(since: last, movedAt: last))
  }

  /// Takes the number of a process out, unless it has left unfinished tasks: whoever ends those needs it.
  static func deleteOwner(_ owner: Int64, _ database: Database) throws(StoreError) {
    try database.statement("DELETE FROM owners AS o WHERE o.id = ? AND NOT EXISTS (SELECT 1 FROM \(tasksOfOwner))")
      .bind(1, owner).run()
  }

  /// Moves the mark of this process up to the first task that it still runs, none of which stands behind `position`.
  static func move(
    _ mark: RunningMark, of owner: Int64, at position: Int64, _ database: Database
  ) throws(StoreError) -> RunningMark {
    let first = try database.statement(
      "SELECT min(t.position) FROM owners o CROSS JOIN \(tasksOfOwner) WHERE o.id = ?"
    ).bind(1, owner).first { $0.optionalInteger(0) }
    // There is one: the task whose beginning moves the mark.
    let since = max(mark.since, ((first ?? nil) ?? position) &- 1)
    try database.statement("UPDATE owners SET since = ? WHERE id = ?").bind(1, since).bind(2, owner).run()
    return RunningMark(since: since, movedAt: position)
  }

  /// The unfinished tasks whose owners are dead.
  package func abandonedTasks() throws(StoreError) -> [TaskRow] {
    var found: [TaskRow] = []
    for dead in try deadOwners() {
      found += try read { (database: Database) throws(StoreError) -> [TaskRow] in
        try database.statement(
          "SELECT \(TaskRow.columns) FROM owners o CROSS JOIN \(Store.tasksOfOwner) WHERE o.id = ? ORDER BY t.key"
        ).bind(1, dead).all { TaskRow($0) }
      }
    }
    return found
  }

  /// Removes the numbers of dead processes that own no task.
  package func forgetDeadOwners() throws(StoreError) {
    let dead = try deadOwners()
    if dead.isEmpty { return }
    try write(owed: false) { (database: Database) throws(StoreError) in
      for owner in dead { try Store.deleteOwner(owner, database) }
    }
  }

  private func deadOwners() throws(StoreError) -> [Int64] {
    let owners = try readOnce { (database: Database) throws(StoreError) -> [Int64] in
      try database.statement("SELECT id FROM owners").all { $0.integer(0) }
    }
    return owners.filter { !isAlive($0) }
  }
}

extension Store {
  /// The tasks that this process runs, each with its fence.
  package func tasksHeld() throws(StoreError) -> [(key: Int64, fence: Int64)] {
    let owner = owner
    return try readOnce { (database: Database) throws(StoreError) in
      try database.statement("SELECT t.key, t.fence FROM owners o CROSS JOIN \(Store.tasksOfOwner) WHERE o.id = ?")
        .bind(1, owner).all { ($0.integer(0), $0.integer(1)) }
    }
  }
}
