import MusterSystem

// A revoked key stays in its table, so that its id is never taken again; nothing shows it any more.
extension Store {
  /// The key with this public part, of whatever organization, also when it was revoked; nil when there is none.
  package func key(_ id: String) throws(StoreError) -> KeyRow? {
    try readOnce { (database: Database) throws(StoreError) -> KeyRow? in
      try database.statement("SELECT \(KeyRow.columns) FROM keys WHERE id = ?").bind(1, id).first { KeyRow($0) }
    }
  }

  /// A key that was not revoked.
  package func key(_ id: String, in organization: String) throws(StoreError) -> Lookup<KeyRow> {
    try read { (database: Database) throws(StoreError) -> Lookup<KeyRow> in
      try Store.key(id, in: organization, database)
    }
  }

  private static func key(
    _ id: String, in organization: String, _ database: Database
  ) throws(StoreError) -> Lookup<KeyRow> {
    let row = try database.statement("SELECT \(KeyRow.columns) FROM keys WHERE id = ? AND revoked_at IS NULL")
      .bind(1, id).first { KeyRow($0) }
    guard let row else { return .missing }
    return row.organizationID == organization ? .found(row) : .foreign
  }

  /// A page of the keys that were not revoked, newest first.
  package func keys(_ page: PageRequest, in organization: String) throws(StoreError) -> Page<KeyRow> {
    try read { (database: Database) throws(StoreError) -> Page<KeyRow> in
      let total = try database.statement("SELECT count(*) FROM keys WHERE organization_id = ? AND revoked_at IS NULL")
        .bind(1, organization).first { $0.integer(0) }
      let rows = try database.statement(
        """
        SELECT \(KeyRow.columns) FROM keys WHERE organization_id = ? AND revoked_at IS NULL
        ORDER BY position DESC LIMIT ? OFFSET ?
        """
      ).bind(1, organization).bind(2, page.count).bind(3, page.offset).all { KeyRow($0) }
      return Page(rows: rows, total: total ?? 0)
    }
  }

  /// Adds a key; its organization too, if the store does not know it.
  package func insertKey(_ key: KeyRow, durable: Bool) throws(StoreError) {
    try write(owed: durable) { (database: Database) throws(StoreError) in
      try Store.insertKey(key, database)
    }
  }

  /// Adds a key if its organization never had one. False when it has, or had.
  package func insertFirstKey(_ key: KeyRow, durable: Bool) throws(StoreError) -> Bool {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Bool in
      let isLate = try database.statement("SELECT 1 FROM keys WHERE organization_id = ? LIMIT 1")
        .bind(1, key.organizationID).first { _ in true }
      if isLate != nil { return false }
      try Store.insertKey(key, database)
      return true
    }
  }

  private static func insertKey(_ key: KeyRow, _ database: Database) throws(StoreError) {
    try insertOrganization(key.organizationID, database)
    try database.statement(
      """
      INSERT INTO keys (id, organization_id, position, name, salt, hash, agents, is_read_only, can_manage_keys,
        created_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
      """
    ).bind(1, key.id).bind(2, key.organizationID).bind(3, try Store.nextPosition(database)).bind(4, key.name)
      .bind(5, key.salt).bind(6, key.hash).bind(7, key.agents.map { IDList.text($0) }).bind(8, key.isReadOnly ? 1 : 0)
      .bind(9, key.canManageKeys ? 1 : 0).bind(10, key.createdAt.microseconds).bind(11, key.expiresAt?.microseconds)
      .run()
  }

  /// Changes a key that was not revoked.
  package func updateKey(
    _ id: String, in organization: String, _ change: KeyChange, durable: Bool
  ) throws(StoreError) -> KeyUpdate {
    try write(owed: durable) { (database: Database) throws(StoreError) -> KeyUpdate in
      switch try Store.key(id, in: organization, database) {
      case .missing: return .missing
      case .foreign: return .foreign
      case .found(var key):
        change.apply(to: &key)
        if key.isContradictory { return .contradictory }
        try database.statement(
          "UPDATE keys SET name = ?, agents = ?, is_read_only = ?, can_manage_keys = ?, expires_at = ? WHERE id = ?"
        ).bind(1, key.name).bind(2, key.agents.map { IDList.text($0) }).bind(3, key.isReadOnly ? 1 : 0)
          .bind(4, key.canManageKeys ? 1 : 0).bind(5, key.expiresAt?.microseconds).bind(6, id).run()
        return .changed(key)
      }
    }
  }

  /// Revokes a key for good. Gives what was there before.
  package func revokeKey(_ id: String, in organization: String, durable: Bool) throws(StoreError) -> Lookup<KeyRow> {
    try write(owed: durable) { (database: Database) throws(StoreError) -> Lookup<KeyRow> in
      let found = try Store.key(id, in: organization, database)
      if case .found = found {
        try database.statement("UPDATE keys SET revoked_at = ? WHERE id = ?")
          .bind(1, Timestamp.now().microseconds).bind(2, id).run()
        try database.statement("DELETE FROM rates WHERE key_id = ?").bind(1, id).run()
      }
      return found
    }
  }
}
