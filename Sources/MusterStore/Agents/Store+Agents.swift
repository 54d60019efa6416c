import MusterSystem

extension Store {
  /// The version of the form in which agent documents are stored.
  private static var agentDocumentVersion: Int64 { 1 }

  /// Adds an agent with its first deployed version.
  package func insertAgent(_ row: AgentRow, durable: Bool) throws(StoreError) {
    try write(owed: durable) { (database: Database) throws(StoreError) in
      let position = try Store.nextPosition(database)
      try database.statement("INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, position).bind(2, row.organizationID).bind(3, row.id).bind(4, row.revision).bind(5, row.version)
        .bind(6, row.createdAt.microseconds).bind(7, row.updatedAt.microseconds)
        .bind(8, Store.agentDocumentVersion).bind(9, row.document).bind(10, row.secrets).run()
      try ListCount.agents.add(1, at: position, in: row.organizationID, database)
      try Store.insertVersion(row, database)
    }
  }

  private static func insertVersion(_ row: AgentRow, _ database: Database) throws(StoreError) {
    try database.statement(
      """
      INSERT INTO agent_versions (organization_id, agent_id, version, created_at, document_version, document, secrets)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """
    )
    .bind(1, row.organizationID).bind(2, row.id).bind(3, row.version).bind(4, row.updatedAt.microseconds)
    .bind(5, agentDocumentVersion).bind(6, row.document).bind(7, row.secrets).run()
  }

  /// Replaces an agent, and with `deploying` keeps the new state as a version. False when the row has changed since revision `row.revision` was read, or is gone:
  /// read it again.
  package func updateAgent(_ row: AgentRow, deploying: Bool, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
      try database.statement(
        """
        UPDATE agents SET revision = revision + 1, version = ?, updated_at = ?, document_version = ?, document = ?, secrets = ?
        WHERE id = ? AND organization_id = ? AND revision = ?
        """
      )
      .bind(1, row.version).bind(2, row.updatedAt.microseconds).bind(3, Store.agentDocumentVersion)
      .bind(4, row.document).bind(5, row.secrets).bind(6, row.id).bind(7, row.organizationID)
      .bind(8, row.revision).run()
      guard database.changes == 1 else { return false }
      if deploying { try Store.insertVersion(row, database) }
      return true
    }
  }

  /// The working copy of an agent.
  package func agent(_ id: String, in organization: String) throws(StoreError) -> Lookup<AgentRow> {
    try read { (database: Database) throws(StoreError) -> Lookup<AgentRow> in
      let statement = try database.statement(
        """
        SELECT organization_id, id, revision, version, created_at, updated_at, document, secrets
        FROM agents WHERE id = ? AND organization_id = ?
        """
      ).bind(1, id).bind(2, organization)
      if try statement.step() {
        let row = AgentRow(
          organizationID: statement.text(0), id: statement.text(1), revision: statement.integer(2),
          version: statement.integer(3), createdAt: Timestamp(microseconds: statement.integer(4)),
          updatedAt: Timestamp(microseconds: statement.integer(5)), document: statement.bytes(6),
          secrets: statement.optionalBytes(7))
        statement.reset()
        return .found(row)
      }
      let elsewhere = try database.statement("SELECT 1 FROM agents WHERE id = ?").bind(1, id)
      let isForeign = try elsewhere.step()
      elsewhere.reset()
      return isForeign ? .foreign : .missing
    }
  }

  /// A deployed version of an agent; nil when there is none with this number.
  package func agentVersion(
    _ version: Int64, of id: String, in organization: String
  ) throws(StoreError) -> AgentVersion? {
    try read { (database: Database) throws(StoreError) -> AgentVersion? in
      let statement = try database.statement(
        "SELECT document, secrets FROM agent_versions WHERE agent_id = ? AND organization_id = ? AND version = ?"
      ).bind(1, id).bind(2, organization).bind(3, version)
      guard try statement.step() else { return nil }
      let found = AgentVersion(version: version, document: statement.bytes(0), secrets: statement.optionalBytes(1))
      statement.reset()
      return found
    }
  }

  /// The documents of a page of agents, newest first.
  package func agents(_ page: PageRequest, in organization: String) throws(StoreError) -> Page<[UInt8]> {
    try read { (database: Database) throws(StoreError) -> Page<[UInt8]> in
      let total = try ListCount.agents.total(in: organization, database)
      guard page.offset < total else { return Page(rows: [], total: total) }
      let start = try ListCount.agents.start(offset: page.offset, in: organization, database)
      let statement = try database.statement(
        """
        SELECT document FROM agents WHERE organization_id = ? AND position < ?
        ORDER BY position DESC LIMIT ? OFFSET ?
        """
      ).bind(1, organization).bind(2, start.below).bind(3, page.count).bind(4, start.skip)
      var rows: [[UInt8]] = []
      while try statement.step() { rows.append(statement.bytes(0)) }
      return Page(rows: rows, total: total)
    }
  }

  /// Removes an agent with its versions, tasks and their journals. False when it is not there.
  package func deleteAgent(_ id: String, in organization: String, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
      let statement = try database.statement("SELECT position FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization)
      guard try statement.step() else { return false }
      let position = statement.integer(0)
      statement.reset()
      try database.statement("DELETE FROM agents WHERE id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).run()
      try database.statement("DELETE FROM agent_versions WHERE agent_id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization).run()
      try ListCount.agents.add(-1, at: position, in: organization, database)
      let tasks = try database.statement("SELECT key, position FROM tasks WHERE agent_id = ? AND organization_id = ?")
        .bind(1, id).bind(2, organization)
      var found: [(key: Int64, position: Int64)] = []
      while try tasks.step() { found.append((tasks.integer(0), tasks.integer(1))) }
      for task in found {
        try Store.deleteTask(key: task.key, position: task.position, in: organization, database)
      }
      return true
    }
  }
}
