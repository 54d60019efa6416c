package import MusterHTTP
package import MusterSystem

/// On whose behalf an operation is called: the host itself, or the holder of an API key.
package struct Caller: Sendable {
  /// Every read and write is for this organization.
  package let organizationID: String
  /// Recorded as `created_by`.
  let userID: String?
  /// The public part of the API key; nil for the host, who may do everything.
  package let keyID: String?
  /// The ids of the only agents that the key is good for; nil: all.
  let agents: [String]?
  /// Whether the key may only read.
  let isReadOnly: Bool
  /// Whether it may make, change and revoke API keys.
  let canManageKeys: Bool
  /// From when its key is refused; nil: never.
  package let expiresAt: Timestamp?
  /// Which addresses may be asked on the caller's behalf, where it is not the plane that chose them.
  package var network: NetworkPolicy

  /// The host.
  init(organizationID: String, userID: String? = nil, network: NetworkPolicy) {
    self.organizationID = organizationID
    self.userID = userID
    keyID = nil
    agents = nil
    isReadOnly = false
    canManageKeys = true
    expiresAt = nil
    self.network = network
  }

  /// The holder of an API key.
  init(
    organizationID: String, keyID: String, agents: [String]?, isReadOnly: Bool, canManageKeys: Bool,
    expiresAt: Timestamp? = nil
  ) {
    self.organizationID = organizationID
    userID = nil
    self.keyID = keyID
    self.agents = agents
    self.isReadOnly = isReadOnly
    self.canManageKeys = canManageKeys
    self.expiresAt = expiresAt
    network = .public
  }

  /// Whether the caller may use the agent.
  func mayUse(agent id: String) -> Bool { agents?.contains(id) ?? true }
}
