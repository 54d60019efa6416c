import MusterSystem

extension Store {
  /// The version of the form in which agent documents are stored.
  private static var agentDocumentVersion: Int64 { 1 }

  /// Adds an agent with its first deployed version.
  package func insertAgent(
    _ row: AgentRow, durable: Bool, remembering entry: IdempotencyEntry? = nil
  ) throws(StoreError) {
    try insertAgents([row], durable: durable, remembering: entry)
  }

  /// Adds agents, all or none; those that come first in the array are the older ones.
  package func insertAgents(
    _ rows: [AgentRow], durable: Bool, remembering entry: IdempotencyEntry? = nil
  ) throws(StoreError) {
    try write(owed: durable) { (database: Database) throws(StoreError) in
      for row in rows { try Store.insert(row, database) }
      try Store.remember(entry, database)
    }
  }

  private static func insert(_ row: AgentRow, _ database: Database) throws(StoreError) {
    let position = try nextPosition(database)
    try database.statement("INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(1, position).bind(2, row.organizationID).bind(3, row.id).bind(4, row.revision).bind(5, row.version)
      .bind(6, row.createdAt.microseconds).bind(7, row.updatedAt.microseconds)
      .bind(8, agentDocumentVersion).bind(9, row.document).bind(10, row.secrets).run()
    try ListCount.agents.add(1, at: position, in: row.organizationID, database)
  }

  /// Gives the deployed version a row of its own before the working copy, which it was so far, departs from it.
  private static func keepVersion(_ row: AgentRow, _ database: Database) throws(StoreError) {
    try database.statement(
      """
      INSERT OR IGNORE INTO agent_versions
        (organization_id, agent_id, version, created_at, document_version, document, secrets)
      SELECT organization_id, id, version, updated_at, document_version, document, secrets FROM agents
      WHERE id = ? AND organization_id = ? AND revision = ?
      """
    ).bind(1, row.id).bind(2, row.organizationID).bind(3, row.revision).run()
  }

  /// Replaces an agent; with a new number in `row.version` the new state is that deployed version. False when the row
  /// has changed since revision `row.revision` was read, or is gone: read it again.
  package func updateAgent(_ row: AgentRow, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
      try Store.keepVersion(row, database)
      try database.statement(
        """
        UPDATE agents SET revision = revision + 1, version = ?, updated_at = ?, document_version = ?, document = ?,
          secrets = ?
        WHERE id = ? AND organization_id = ? AND revision = ?
        """
      )
      .bind(1, row.version).bind(2, row.updatedAt.microseconds).bind(3, Store.agentDocumentVersion)
      .bind(4, row.document).bind(5, row.secrets).bind(6, row.id).bind(7, row.organizationID)
      .bind(8, row.revision).run()
      return database.changes == 1
    }
  }

  /// The working copy of an agent.
  package func agent(_ id: String, in organization: String) throws(StoreError) -> Lookup<AgentRow> {
    try read { (database: Database) throws(StoreError) -> Lookup<AgentRow> in
      let row = try database.statement(
        """
        SELECT organization_id, id, revision, version, created_at, updated_at, document, secrets
        FROM agents WHERE id = ? AND organization_id = ?
        """
      ).bind(1, id).bind(2, organization).first { row in
        AgentRow(
          organizationID: row.text(0), id: row.text(1), revision: row.integer(2), version: row.integer(3),
          createdAt: Timestamp(microseconds: row.integer(4)), updatedAt: Timestamp(microseconds: row.integer(5)),
          document: row.bytes(6), secrets: row.optionalBytes(7))
      }
      if let row { return .found(row) }
      return try Store.isForeignAgent(id, to: organization, database) ? .foreign : .missing
    }
  }

  /// The document of an agent's working copy.
  package func agentDocument(_ id: String, in organization: String) throws(StoreError) -> Lookup<[UInt8]> {
    let document = try readOnce { (database: Database) throws(StoreError) -> [UInt8]? in
      try database.statement("SELECT document FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).first { $0.bytes(0) }
    }
    if let document { return .found(document) }
    let isForeign = try readOnce { (database: Database) throws(StoreError) -> Bool in
      try Store.isForeignAgent(id, to: organization, database)
    }
    return isForeign ? .foreign : .missing
  }

  private static func isForeignAgent(
    _ id: String, to organization: String, _ database: Database
  ) throws(StoreError) -> Bool {
    try database.statement("SELECT 1 FROM agents WHERE id = ? AND organization_id <> ?")
      .bind(1, id).bind(2, organization).first { _ in true } ?? false
  }

  /// A deployed version of an agent; nil when there is none with this number.
  package func agentVersion(
    _ version: Int64, of id: String, in organization: String
  ) throws(StoreError) -> AgentVersion? {
    try readOnce { (database: Database) throws(StoreError) -> AgentVersion? in
      // A version has a row of its own once the working copy has departed from it; until then the working copy is it.
      // One statement, so that nobody departs in between.
      try database.statement(
        """
        SELECT document, secrets, 1 AS place FROM agent_versions
        WHERE agent_id = ?1 AND organization_id = ?2 AND version = ?3
        UNION ALL
        SELECT document, secrets, 2 FROM agents WHERE id = ?1 AND organization_id = ?2 AND version = ?3
        ORDER BY place LIMIT 1
        """
      ).bind(1, id).bind(2, organization).bind(3, version).first { row in
        AgentVersion(version: version, document: row.bytes(0), secrets: row.optionalBytes(1))
      }
    }
  }

  /// The documents of a page of agents, newest first; `ids`: of these only.
  package func agents(
    _ page: PageRequest, in organization: String, only ids: [String]? = nil
  ) throws(StoreError) -> Page<[UInt8]> {
    var rows: [[UInt8]] = []
    let total = try eachAgent(page, in: organization, only: ids) { rows.append($0.bytes(0)) }
    return Page(rows: rows, total: total)
  }

  /// Appends the documents of a page of agents, newest first and with commas between, and gives the number of rows in
  /// the whole list; `ids`: of these only.
  package func appendAgents(
    _ page: PageRequest, in organization: String, only ids: [String]? = nil, to output: inout [UInt8]
  ) throws(StoreError) -> Int64 {
    let start = output.count
    return try eachAgent(page, in: organization, only: ids) { row in
      if output.count == start {
        row.append(0, to: &output)
        // Agents mostly have about the same size.
        let size = min(output.count - start, 1 << 16)
        output.reserveCapacity(size * 9 / 8 * Int(min(page.count, 50)) + 1024)
      } else {
        output.append(UInt8(ascii: ","))
        row.append(0, to: &output)
      }
    }
  }

  /// Calls `take` for each row of a page, whose first column is the document; gives the number of rows in the whole
  /// list.
  private func eachAgent(
    _ page: PageRequest, in organization: String, only ids: [String]?, _ take: (Statement) -> Void
  ) throws(StoreError) -> Int64 {
    if let ids { return try eachAgent(page, among: IDList.text(ids), in: organization, take) }
    return try read { (database: Database) throws(StoreError) -> Int64 in
      let state = try database.statement(
        """
        SELECT rows, (SELECT max(position) FROM agents WHERE organization_id = ?1) FROM counts
        WHERE organization_id = ?1 AND list = ?2 AND block = -1
        """
      ).bind(1, organization).bind(2, ListCount.agents.rawValue).first {
        ListPlaces.State(rows: $0.integer(0), top: $0.integer(1))
      }
      guard let state, page.offset < state.rows else { return state?.rows ?? 0 }
      var start: (below: Int64, skip: Int64) = (state.top &+ 1, 0)
      if page.offset > 0 {
        if let below = agentPlaces.below(offset: page.offset, of: state, in: organization) {
          start.below = below
        } else {
          start = try ListCount.agents.start(offset: page.offset, in: organization, database)
        }
      }
      let statement = try database.statement(
        """
        SELECT document, position FROM agents WHERE organization_id = ? AND position < ?
        ORDER BY position DESC LIMIT ? OFFSET ?
        """
      ).bind(1, organization).bind(2, start.below).bind(3, page.count).bind(4, start.skip)
      var count: Int64 = 0
      var last = start.below
      while try statement.step() {
        take(statement)
        count += 1
        last = statement.integer(1)
      }
      if count > 0 { agentPlaces.note(count, from: page.offset, last: last, of: state, in: organization) }
      return state.rows
    }
  }

  /// The same for a list that is narrowed to some ids, which are few: it is counted and skipped row by row.
  private func eachAgent(
    _ page: PageRequest, among ids: [UInt8], in organization: String, _ take: (Statement) -> Void
  ) throws(StoreError) -> Int64 {
    try read { (database: Database) throws(StoreError) -> Int64 in
      let total = try database.statement(
        "SELECT count(*) FROM agents WHERE organization_id = ? AND id IN (SELECT value FROM json_each(?))"
      ).bind(1, organization).bind(2, ids).first { $0.integer(0) }
      let statement = try database.statement(
        """
        SELECT document FROM agents WHERE organization_id = ? AND id IN (SELECT value FROM json_each(?))
        ORDER BY position DESC LIMIT ? OFFSET ?
        """
      ).bind(1, organization).bind(2, ids).bind(3, page.count).bind(4, page.offset)
      while try statement.step() { take(statement) }
      return total ?? 0
    }
  }

  /// The tasks, of whatever agents, that an unfinished sub-task of this agent is of.
  package func tasks(above agent: String, in organization: String) throws(StoreError) -> [String] {
    try read { (database: Database) throws(StoreError) -> [String] in
      try database.statement(
        """
        SELECT DISTINCT parent_id FROM tasks
        WHERE agent_id = ? AND organization_id = ? AND parent_id IS NOT NULL AND finished_at IS NULL
        """
      ).bind(1, agent).bind(2, organization).all { $0.text(0) }
    }
  }

  /// Removes an agent with its versions, tasks and their journals. False when it is not there.
  package func deleteAgent(_ id: String, in organization: String, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
      let position = try database.statement("SELECT position FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).first { $0.integer(0) }
      guard let position else { return false }
      try database.statement("DELETE FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).run()
      try database.statement("DELETE FROM agent_versions WHERE agent_id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).run()
      try ListCount.agents.add(-1, at: position, in: organization, database)
      let tasks = try database.statement("SELECT key, position FROM tasks WHERE agent_id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).all { (key: $0.integer(0), position: $0.integer(1)) }
      for task in tasks {
        try Store.deleteTask(key: task.key, position: task.position, in: organization, database)
      }
      return true
    }
  }
}
