/// Which state of an agent is deployed. Two equal ones stand for the same documents, in whatever process they were read:
/// each change of the agent counts `revision` on, and `position` is never used again.
package struct DeployedState: Sendable, Equatable {
  let position: Int64
  let revision: Int64
  /// The number of the deployed version.
  package let version: Int64
}

/// An agent with its deployed version, of one moment.
package struct DeployedAgent: Sendable {
  package let state: DeployedState
  /// The document of the working copy.
  package let working: [UInt8]
  /// The document of the deployed version.
  package let document: [UInt8]
  /// The secrets of the deployed version.
  package let secrets: [UInt8]?
}
