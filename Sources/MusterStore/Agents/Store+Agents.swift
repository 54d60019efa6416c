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

  /// Replaces an agent, and with `deploying` keeps the new state as a version. False when the row has changed since
  /// revision `row.revision` was read, or is gone: read it again.
  package func updateAgent(_ row: AgentRow, deploying: Bool, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
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
      guard database.changes == 1 else { return false }
      if deploying { try Store.insertVersion(row, database) }
      return true
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
      let isForeign = try database.statement("SELECT 1 FROM agents WHERE id = ?").bind(1, id).first { _ in true }
      return isForeign == nil ? .missing : .foreign
    }
  }

  /// A deployed version of an agent; nil when there is none with this number.
  package func agentVersion(
    _ version: Int64, of id: String, in organization: String
  ) throws(StoreError) -> AgentVersion? {
    try read { (database: Database) throws(StoreError) -> AgentVersion? in
      try database.statement(
        "SELECT document, secrets FROM agent_versions WHERE agent_id = ? AND organization_id = ? AND version = ?"
      ).bind(1, id).bind(2, organization).bind(3, version).first { row in
        AgentVersion(version: version, document: row.bytes(0), secrets: row.optionalBytes(1))
      }
    }
  }

  /// The documents of a page of agents, newest first.
  package func agents(_ page: PageRequest, in organization: String) throws(StoreError) -> Page<[UInt8]> {
    try read { (database: Database) throws(StoreError) -> Page<[UInt8]> in
      let total = try ListCount.agents.total(in: organization, database)
      guard page.offset < total else { return Page(rows: [], total: total) }
      let start = try ListCount.agents.start(offset: page.offset, in: organization, database)
      let rows = try database.statement(
        """
        SELECT document FROM agents WHERE organization_id = ? AND position < ?
        ORDER BY position DESC LIMIT ? OFFSET ?
        """
      ).bind(1, organization).bind(2, start.below).bind(3, page.count).bind(4, start.skip).all { $0.bytes(0) }
      return Page(rows: rows, total: total)
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
