package import MusterSystem

/// A template as it is stored: a snapshot of an agent that is never changed.
package struct TemplateRow: Sendable {
  package let id: String
  /// Who made it; anyone who knows its id may use it.
  package let organizationID: String
  package let createdAt: Timestamp
  /// What it shows, without its maker.
  package let document: [UInt8]

  package init(id: String, organizationID: String, createdAt: Timestamp, document: [UInt8]) {
    self.id = id
    self.organizationID = organizationID
    self.createdAt = createdAt
    self.document = document
  }
}
