import MusterJSON
package import MusterSystem

/// An API key as it is stored: what it may do, and how to recognise it. The key itself is not kept.
package struct KeyRow: Sendable {
  /// The public part of the key.
  package let id: String
  package let organizationID: String
  package internal(set) var name: String
  /// Hexadecimal: random bytes, and the digest of them and the secret part of the key.
  package let salt: String
  package let hash: String
  /// The ids of the only agents that it is good for; nil: all.
  package internal(set) var agents: [String]?
  package internal(set) var isReadOnly: Bool
  /// Whether it may make, change and revoke keys. Such a key is neither limited to agents nor read-only.
  package internal(set) var canManageKeys: Bool
  package let createdAt: Timestamp
  package internal(set) var expiresAt: Timestamp?
  package internal(set) var revokedAt: Timestamp?

  package init(
    id: String, organizationID: String, name: String, salt: String, hash: String, agents: [String]?, isReadOnly: Bool,
    canManageKeys: Bool, createdAt: Timestamp, expiresAt: Timestamp?
  ) {
    self.id = id
    self.organizationID = organizationID
    self.name = name
    self.salt = salt
    self.hash = hash
    self.agents = agents
    self.isReadOnly = isReadOnly
    self.canManageKeys = canManageKeys
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }

  static let columns = """
    id, organization_id, name, salt, hash, agents, is_read_only, can_manage_keys, created_at, expires_at, revoked_at
    """

  /// Reads the row that a statement stands on; its columns are `columns`.
  init(_ row: Statement) {
    id = row.text(0)
    organizationID = row.text(1)
    name = row.text(2)
    salt = row.text(3)
    hash = row.text(4)
    agents = row.optionalBytes(5).map { IDList.ids($0) }
    isReadOnly = row.integer(6) != 0
    canManageKeys = row.integer(7) != 0
    createdAt = Timestamp(microseconds: row.integer(8))
    expiresAt = row.optionalInteger(9).map { Timestamp(microseconds: $0) }
    revokedAt = row.optionalInteger(10).map { Timestamp(microseconds: $0) }
  }

  /// Whether it rules out what managing keys needs.
  var isContradictory: Bool { canManageKeys && (isReadOnly || agents != nil) }
}

/// What changes of a key: nil leaves it as it is.
package struct KeyChange: Sendable {
  package var name: String?
  /// `.some(nil)`: good for all agents.
  package var agents: [String]??
  package var isReadOnly: Bool?
  package var canManageKeys: Bool?
  /// `.some(nil)`: never.
  package var expiresAt: Timestamp??

  package init() {}

  package var isEmpty: Bool {
    name == nil && agents == nil && isReadOnly == nil && canManageKeys == nil && expiresAt == nil
  }

  func apply(to key: inout KeyRow) {
    if let name { key.name = name }
    if let agents { key.agents = agents }
    if let isReadOnly { key.isReadOnly = isReadOnly }
    if let canManageKeys { key.canManageKeys = canManageKeys }
    if let expiresAt { key.expiresAt = expiresAt }
  }
}

/// How changing a key went.
package enum KeyUpdate: Sendable {
  case changed(KeyRow)
  case missing
  case foreign
  /// It would manage keys and be limited at once.
  case contradictory
}
