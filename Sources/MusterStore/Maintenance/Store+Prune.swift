package import MusterSystem

/// Some tasks of a list that may be removed.
package struct PruneBatch: Sendable {
  package let ids: [String]
  /// Where the next batch begins; nil when there is none.
  package let next: Int64?
}

extension Store {
  private static let isEnded = "status IN (4, 5, 6, 7)"
  private static let mostTasks: Int64 = 200
  private static let mostRecords: Int64 = 20_000

  /// The next tasks that ended, were last changed before a time, and are not sub-tasks of another: so many that removing
  /// them makes a transaction of bounded size. `agentID`: only tasks of this agent.
  package func prunableTasks(
    before time: Timestamp, ofAgent agentID: String?, in organization: String, after position: Int64
  ) throws(StoreError) -> PruneBatch {
    try readOnce { (database: Database) throws(StoreError) -> PruneBatch in
      let statement = try database.statement(
        """
        SELECT id, position, sequence FROM tasks t
        WHERE organization_id = ? AND position > ? AND updated_at < ? AND \(Store.isEnded) \
        AND (? IS NULL OR agent_id = ?) AND (parent_id IS NULL OR NOT EXISTS (
          SELECT 1 FROM tasks p WHERE p.id = t.parent_id AND p.organization_id = t.organization_id))
        ORDER BY position LIMIT ?
        """
      ).bind(1, organization).bind(2, position).bind(3, time.microseconds).bind(4, agentID).bind(5, agentID)
        .bind(6, Store.mostTasks)
      defer { statement.reset() }
      var ids: [String] = []
      var records: Int64 = 0
      var last: Int64?
      while records < Store.mostRecords, try statement.step() {
        ids.append(statement.text(0))
        last = statement.integer(1)
        records &+= statement.integer(2)
      }
      return PruneBatch(ids: ids, next: last)
    }
  }

  /// Removes those of the tasks that are still ended and unchanged since before the time, with their sub-tasks and
  /// journals; one with a sub-task that is not is left whole. Gives the ids of all that were removed.
  package func pruneTasks(
    _ ids: [String], before time: Timestamp, in organization: String, durable: Bool
  ) throws(StoreError) -> [String] {
    try write(owed: durable) { (database: Database) throws(StoreError) -> [String] in
      var removed: [String] = []
      for id in ids {
        guard let tree = try Store.endedTree(id, before: time, in: organization, database) else { continue }
        for task in tree {
          try Store.deleteTask(key: task.key, position: task.position, in: organization, database)
          removed.append(task.id)
        }
      }
      return removed
    }
  }

  /// A task and its sub-tasks at every level; nil when one of them has not ended or has changed since.
  private static func endedTree(
    _ root: String, before time: Timestamp, in organization: String, _ database: Database
  ) throws(StoreError) -> [(id: String, key: Int64, position: Int64)]? {
    var tree: [(id: String, key: Int64, position: Int64)] = []
    var open = [root]
    var seen: Set<String> = [root]
    while let id = open.popLast() {
      let task = try database.statement(
        "SELECT key, position, updated_at < ? AND \(isEnded) FROM tasks WHERE id = ? AND organization_id = ?"
      ).bind(1, time.microseconds).bind(2, id).bind(3, organization)
        .first { (key: $0.integer(0), position: $0.integer(1), isOld: $0.integer(2) != 0) }
      guard let task, task.isOld else { return nil }
      tree.append((id, task.key, task.position))
      let subtasks = try database.statement("SELECT id FROM tasks WHERE parent_id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).all { $0.text(0) }
      for subtask in subtasks where seen.insert(subtask).inserted { open.append(subtask) }
    }
    return tree
  }
}
