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

  init(
    organizationID: String, userID: String? = nil, keyID: String? = nil, agents: [String]? = nil,
    isReadOnly: Bool = false
  ) {
    self.organizationID = organizationID
    self.userID = userID
    self.keyID = keyID
    self.agents = agents
    self.isReadOnly = isReadOnly
  }

  /// Whether the caller may use the agent.
  func mayUse(agent id: String) -> Bool { agents?.contains(id) ?? true }
}
