package import MusterSystem

extension Store {
  /// How long a key is remembered.
  private static let idempotencyMicroseconds: Int64 = 24 * 3600 * 1_000_000
  /// How many old keys go with each new one: more than one, so that they run out.
  private static let forgottenAtOnce: Int64 = 16

  private static func oldest(_ now: Timestamp) -> Int64 { now.microseconds &- idempotencyMicroseconds }

  /// What is known of a key; nil when it has not been used in the last 24 hours.
  package func idempotencyRecord(
    _ key: IdempotencyKey, at now: Timestamp = .now()
  ) throws(StoreError) -> IdempotencyRecord? {
    try readOnce { (database: Database) throws(StoreError) -> IdempotencyRecord? in
      try database.statement(
        """
        SELECT fingerprint, resource_id, turn, answer, created_at FROM idempotency
        WHERE organization_id = ? AND operation = ? AND key = ? AND created_at >= ?
        """
      ).bind(1, key.organizationID).bind(2, key.operation).bind(3, key.key).bind(4, Store.oldest(now)).first { row in
        IdempotencyRecord(
          fingerprint: row.text(0), resourceID: row.text(1), turn: row.optionalInteger(2), answer: row.optionalBytes(3),
          createdAt: Timestamp(microseconds: row.integer(4)))
      }
    }
  }

  /// Remembers a key in the transaction of its effect. Fails with `repeated`, which undoes the effect, when another call
  /// was first.
  static func remember(
    _ entry: IdempotencyEntry?, turn: Int64? = nil, at now: Timestamp = .now(), _ database: Database
  ) throws(StoreError) {
    guard let entry else { return }
    let key = entry.key
    try database.statement(
      """
      DELETE FROM idempotency WHERE (organization_id, operation, key) IN (
        SELECT organization_id, operation, key FROM idempotency WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)
      """
    ).bind(1, oldest(now)).bind(2, forgottenAtOnce).run()
    // An old one of this name makes room, a young one stays.
    try database.statement(
      """
      INSERT INTO idempotency (organization_id, operation, key, fingerprint, resource_id, turn, answer, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      ON CONFLICT DO UPDATE SET fingerprint = ?4, resource_id = ?5, turn = ?6, answer = ?7, created_at = ?8
      WHERE created_at < ?9
      """
    ).bind(1, key.organizationID).bind(2, key.operation).bind(3, key.key).bind(4, key.fingerprint)
      .bind(5, entry.resourceID).bind(6, turn).bind(7, entry.answer).bind(8, now.microseconds).bind(9, oldest(now))
      .run()
    if database.changes != 1 { throw .repeated }
  }

  /// Keeps the answer of a call whose key was remembered without one. Not owed: it can be made again from the task.
  package func keepAnswer(_ answer: [UInt8], of key: IdempotencyKey) throws(StoreError) {
    try write(owed: false) { (database: Database) throws(StoreError) in
      try database.statement(
        """
        UPDATE idempotency SET answer = ? WHERE organization_id = ? AND operation = ? AND key = ? AND fingerprint = ?
          AND answer IS NULL
        """
      ).bind(1, answer).bind(2, key.organizationID).bind(3, key.operation).bind(4, key.key).bind(5, key.fingerprint)
        .run()
    }
  }
}
