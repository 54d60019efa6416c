package import MusterSystem

/// An agent as it is stored: its working copy.
package struct AgentRow: Sendable {
  package let organizationID: String
  package let id: String
  /// Counts the changes of the row, so that a change made from an old reading is noticed.
  package var revision: Int64
  /// The number of the deployed version.
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp
  /// The document as it is shown, in normal form; it holds no secrets.
  package var document: [UInt8]
  /// The secrets, by their places in the document, as a JSON object; nil when there are none.
  package var secrets: [UInt8]?

  package init(
    organizationID: String, id: String, revision: Int64, version: Int64, createdAt: Timestamp, updatedAt: Timestamp,
    document: [UInt8], secrets: [UInt8]?
  ) {
    self.organizationID = organizationID
    self.id = id
    self.revision = revision
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
    self.document = document
    self.secrets = secrets
  }
}

/// What a look-up by id found.
package enum Lookup<Row> {
  case found(Row)
  /// It exists in another organization only.
  case foreign
  case missing
}

extension Lookup: Sendable where Row: Sendable {}

/// A deployed version of an agent.
package struct AgentVersion: Sendable {
  package let version: Int64
  package let document: [UInt8]
  package let secrets: [UInt8]?
}
