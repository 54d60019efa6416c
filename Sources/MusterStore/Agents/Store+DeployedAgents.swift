extension Store {
  // A version has a row of its own once the working copy has departed from it; until then the working copy is it. Each
  // function reads with one statement, so that nobody departs in between.

  private static let deployed = """
    FROM agents a LEFT JOIN agent_versions v
      ON v.agent_id = a.id AND v.organization_id = a.organization_id AND v.version = a.version
    WHERE a.id = ? AND a.organization_id = ?
    """

  private static let selectDeployedState = """
    SELECT a.position, a.revision, a.version, CASE WHEN v.key IS NULL THEN a.secrets ELSE v.secrets END
    \(deployed)
    """

  /// Which state of an agent is deployed, and the secrets of that version; nil when there is no such agent. Reads no
  /// documents.
  package func deployedState(
    of id: String, in organization: String
  ) throws(StoreError) -> (state: DeployedState, secrets: [UInt8]?)? {
    try readOnce { (database: Database) throws(StoreError) -> (state: DeployedState, secrets: [UInt8]?)? in
      try database.statement(Store.selectDeployedState).bind(1, id).bind(2, organization).first { row in
        (
          state: DeployedState(position: row.integer(0), revision: row.integer(1), version: row.integer(2)),
          secrets: row.optionalBytes(3)
        )
      }
    }
  }

  /// An agent with its deployed version; nil when there is no such agent.
  package func deployedAgent(_ id: String, in organization: String) throws(StoreError) -> DeployedAgent? {
    try readOnce { (database: Database) throws(StoreError) -> DeployedAgent? in
      try database.statement(
        """
        SELECT a.position, a.revision, a.version, a.document, v.document,
          CASE WHEN v.key IS NULL THEN a.secrets ELSE v.secrets END
        \(Store.deployed)
        """
      ).bind(1, id).bind(2, organization).first { row in
        let working = row.bytes(3)
        return DeployedAgent(
          state: DeployedState(position: row.integer(0), revision: row.integer(1), version: row.integer(2)),
          working: working, document: row.optionalBytes(4) ?? working, secrets: row.optionalBytes(5))
      }
    }
  }
}
