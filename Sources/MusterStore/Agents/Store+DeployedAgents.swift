extension Store {
  // A version has a row of its own once the working copy has departed from it; until then the working copy is it. Each
  // function reads with one statement, so that nobody departs in between.

  /// Joins the row of an agent's deployed version, if it has one, to the agent.
  static let deployedVersion = """
    LEFT JOIN agent_versions v
      ON v.agent_id = a.id AND v.organization_id = a.organization_id AND v.version = a.version
    """

  /// The columns that `deployedState` reads.
  static let deployedStateColumns =
    "a.position, a.revision, a.version, CASE WHEN v.key IS NULL THEN a.secrets ELSE v.secrets END"

  private static let selectDeployedState = """
    SELECT \(deployedStateColumns) FROM agents a \(deployedVersion) WHERE a.id = ? AND a.organization_id = ?
    """

  /// Reads the state of an agent and the secrets of its deployed version.
  static func deployedState(_ row: Statement, from column: Int32) -> (state: DeployedState, secrets: [UInt8]?) {
    (
      state: DeployedState(
        position: row.integer(column), revision: row.integer(column + 1), version: row.integer(column + 2)),
      secrets: row.optionalBytes(column + 3)
    )
  }

  /// Which state of an agent is deployed, and the secrets of that version; nil when there is no such agent. Reads no
  /// documents.
  package func deployedState(
    of id: String, in organization: String
  ) throws(StoreError) -> (state: DeployedState, secrets: [UInt8]?)? {
    try readOnce { (database: Database) throws(StoreError) -> (state: DeployedState, secrets: [UInt8]?)? in
      try database.statement(Store.selectDeployedState).bind(1, id).bind(2, organization)
        .first { Store.deployedState($0, from: 0) }
    }
  }

  /// An agent with its deployed version; nil when there is no such agent.
  package func deployedAgent(_ id: String, in organization: String) throws(StoreError) -> DeployedAgent? {
    try readOnce { (database: Database) throws(StoreError) -> DeployedAgent? in
      try database.statement(
        """
        SELECT \(Store.deployedStateColumns), a.document, v.document
        FROM agents a \(Store.deployedVersion) WHERE a.id = ? AND a.organization_id = ?
        """
      ).bind(1, id).bind(2, organization).first { row in
        let (state, secrets) = Store.deployedState(row, from: 0)
        let working = row.bytes(4)
        return DeployedAgent(
          state: state, working: working, document: row.optionalBytes(5) ?? working, secrets: secrets)
      }
    }
  }
}
