package import MusterSystem

/// An API key as it is stored: what it may do, and how to recognise it. The key itself is not kept.
package struct KeyRow: Sendable {
  /// The public part of the key.
  package let id: String
  package let organizationID: String
  package let name: String
  /// Hexadecimal: random bytes, and the digest of them and the secret part of the key.
  package let salt: String
  package let hash: String
  /// A JSON array of the ids of the only agents that it is good for; nil: all.
  package let agents: [UInt8]?
  package let isReadOnly: Bool
  package let createdAt: Timestamp
  package let expiresAt: Timestamp?
  package let revokedAt: Timestamp?

  package init(
    id: String, organizationID: String, name: String, salt: String, hash: String, agents: [UInt8]?, isReadOnly: Bool,
    createdAt: Timestamp, expiresAt: Timestamp?, revokedAt: Timestamp?
  ) {
    self.id = id
    self.organizationID = organizationID
    self.name = name
    self.salt = salt
    self.hash = hash
    self.agents = agents
    self.isReadOnly = isReadOnly
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
  }

  static let columns =
    "id, organization_id, name, salt, hash, agents, is_read_only, created_at, expires_at, revoked_at"

  /// Reads the row that a statement stands on; its columns are `columns`.
  init(_ row: Statement) {
    id = row.text(0)
    organizationID = row.text(1)
    name = row.text(2)
    salt = row.text(3)
    hash = row.text(4)
    agents = row.isNull(5) ? nil : row.bytes(5)
    isReadOnly = row.integer(6) != 0
    createdAt = Timestamp(microseconds: row.integer(7))
    expiresAt = row.optionalInteger(8).map { Timestamp(microseconds: $0) }
    revokedAt = row.optionalInteger(9).map { Timestamp(microseconds: $0) }
  }
}
