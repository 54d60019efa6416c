import MusterSystem

extension Store {
  /// The key with this public part, of whatever organization; nil when there is none.
  package func key(_ id: String) throws(StoreError) -> KeyRow? {
    try readOnce { (database: Database) throws(StoreError) -> KeyRow? in
      try database.statement("SELECT \(KeyRow.columns) FROM keys WHERE id = ?").bind(1, id).first { KeyRow($0) }
    }
  }

  /// Adds a key.
  package func insertKey(_ key: KeyRow, durable: Bool) throws(StoreError) {
    try write(owed: durable) { (database: Database) throws(StoreError) in
      try database.statement(
        """
        INSERT INTO keys (id, organization_id, position, name, salt, hash, agents, is_read_only, created_at, expires_at,
          revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
      ).bind(1, key.id).bind(2, key.organizationID).bind(3, try Store.nextPosition(database)).bind(4, key.name)
        .bind(5, key.salt).bind(6, key.hash).bind(7, key.agents).bind(8, key.isReadOnly ? 1 : 0)
        .bind(9, key.createdAt.microseconds).bind(10, key.expiresAt?.microseconds)
        .bind(11, key.revokedAt?.microseconds).run()
    }
  }
}
