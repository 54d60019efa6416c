/// What a look at the whole store has found.
package struct StoreInspection: Sendable {
  /// A line for each thing that is wrong, at most `mostProblems` of them.
  package private(set) var problems: [String] = []
  /// How many things are wrong in all.
  package private(set) var problemCount: Int64 = 0
  package internal(set) var agents: Int64 = 0
  package internal(set) var tasks: Int64 = 0
  package internal(set) var records: Int64 = 0
  package internal(set) var bytes: Int64 = 0

  private static let mostProblems = 100

  package init() {}

  package mutating func add(_ problem: String) {
    problemCount &+= 1
    if problems.count < StoreInspection.mostProblems { problems.append(problem) }
  }
}

extension Store {
  /// What must give no rows in any store, at any time; each row is what is wrong there.
  private static let invariants: [(what: String, sql: String)] = [
    (
      "agent without its deployed version",
      """
      SELECT id FROM agents a WHERE json_extract(document, '$.has_pending_changes') AND NOT EXISTS (
        SELECT 1 FROM agent_versions v
        WHERE v.agent_id = a.id AND v.organization_id = a.organization_id AND v.version = a.version)
      """
    ),
    (
      "version of no agent",
      """
      SELECT agent_id FROM agent_versions v WHERE NOT EXISTS (
        SELECT 1 FROM agents a WHERE a.id = v.agent_id AND a.organization_id = v.organization_id)
      """
    ),
    (
      "task of no agent",
      """
      SELECT id FROM tasks t WHERE NOT EXISTS (
        SELECT 1 FROM agents a WHERE a.id = t.agent_id AND a.organization_id = t.organization_id)
      """
    ),
    (
      "journal of no task",
      "SELECT DISTINCT key >> \(JournalKey.sequenceBits) FROM journal WHERE key >> \(JournalKey.sequenceBits) NOT IN "
        + "(SELECT key FROM tasks)"
    ),
    ("ended task that a process owns", "SELECT id FROM tasks WHERE status IN (4, 5, 6, 7) AND owner IS NOT NULL"),
    (
      "running task that would not be found after a crash",
      """
      SELECT id FROM tasks t WHERE owner IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM owners o JOIN organizations g WHERE o.id = t.owner AND o.since < t.position AND g.id = t.organization_id)
      """
    ),
    (
      "two agents at one place of a list",
      "SELECT position FROM agents GROUP BY organization_id, position HAVING count(*) > 1"
    ),
    (
      "two tasks at one place of a list",
      "SELECT position FROM tasks GROUP BY organization_id, position HAVING count(*) > 1"
    ),
    (
      "place in a list that was not given out yet",
      """
      SELECT position FROM (SELECT position FROM agents UNION ALL SELECT position FROM tasks)
      WHERE position > (SELECT value FROM meta WHERE key = 'sequence')
      """
    ),
    ("count that is kept of rows that are not there", "\(keptCounts) EXCEPT \(actualCounts)"),
    ("count that is not kept", "\(actualCounts) EXCEPT \(keptCounts)"),
  ]

  /// The counts of lists as they are kept, and as the rows say. A list as `ListCount` numbers it; block -1 is the whole.
  private static let keptCounts = """
    SELECT 'organization ' || organization_id || ', list ' || list || ', block ' || block || ': ' || rows
    FROM counts WHERE rows <> 0 AND list IN (1, 2)
    """
  private static let actualCounts = """
    SELECT 'organization ' || organization_id || ', list ' || list || ', block ' || block || ': ' || rows FROM (
      SELECT organization_id, 1 AS list, position >> 8 AS block, count(*) AS rows FROM agents GROUP BY 1, 3
      UNION ALL SELECT organization_id, 1, -1, count(*) FROM agents GROUP BY 1
      UNION ALL SELECT organization_id, 2, position >> 8, count(*) FROM tasks GROUP BY 1, 3
      UNION ALL SELECT organization_id, 2, -1, count(*) FROM tasks GROUP BY 1)
    """

  /// Looks at everything but the meaning of the journal, in one state of the store: the file as SQLite sees it, what
  /// belongs to what, and the counts of lists against the rows.
  package func inspect() throws(StoreError) -> StoreInspection {
    try read { (database: Database) throws(StoreError) -> StoreInspection in
      var found = StoreInspection()
      for line in try Store.lines("PRAGMA integrity_check(20)", database) where line != "ok" {
        found.add("the file is damaged: \(line)")
      }
      // What is damaged may not be readable; that is said by the lines above.
      if !found.problems.isEmpty { return found }
      for invariant in Store.invariants {
        for line in try Store.lines(invariant.sql, database) { found.add("\(invariant.what): \(line)") }
      }
      found.agents = try database.integer("SELECT count(*) FROM agents")
      found.tasks = try database.integer("SELECT count(*) FROM tasks")
      found.records = try database.integer("SELECT count(*) FROM journal")
      let pages = try database.integer("PRAGMA page_count")
      found.bytes = pages &* (try database.integer("PRAGMA page_size"))
      return found
    }
  }

  private static func lines(_ sql: String, _ database: Database) throws(StoreError) -> [String] {
    try database.statement(sql).all { $0.text(0) }
  }

  /// The keys of tasks after a key, in order; of all organizations.
  package func taskKeys(after key: Int64, count: Int64) throws(StoreError) -> [Int64] {
    try readOnce { (database: Database) throws(StoreError) -> [Int64] in
      try database.statement("SELECT key FROM tasks WHERE key > ? ORDER BY key LIMIT ?").bind(1, key).bind(2, count)
        .all { $0.integer(0) }
    }
  }

  /// Hands the records of a task to `visit`, in order, and gives the task as it was at that moment; nil when it is gone.
  package func walk(
    taskWithKey key: Int64, _ visit: (JournalRecord) -> Void
  ) throws(StoreError) -> TaskRow? {
    let first = try JournalKey.of(0, of: key)
    let last = try JournalKey.last(of: key)
    return try read { (database: Database) throws(StoreError) -> TaskRow? in
      let row = try database.statement("SELECT \(TaskRow.columns) FROM tasks t WHERE t.key = ?").bind(1, key)
        .first { TaskRow($0) }
      guard let row else { return nil }
      let statement = try database.statement(
        "SELECT \(JournalRecord.columns) FROM journal j WHERE j.key BETWEEN ? AND ? ORDER BY j.key"
      ).bind(1, first).bind(2, last)
      while try statement.step() { visit(JournalRecord(statement)) }
      return row
    }
  }
}
