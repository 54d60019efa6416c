import MusterSystem

extension Store {
  /// The version of the form in which templates are stored.
  private static var templateDocumentVersion: Int64 { 1 }

  /// Adds a template.
  package func insertTemplate(
    _ row: TemplateRow, durable: Bool, remembering entry: IdempotencyEntry? = nil
  ) throws(StoreError) {
    try write(owed: durable) { (database: Database) throws(StoreError) in
      try database.statement("INSERT INTO templates VALUES (?, ?, ?, ?, ?)")
        .bind(1, row.id).bind(2, row.organizationID).bind(3, row.createdAt.microseconds)
        .bind(4, Store.templateDocumentVersion).bind(5, row.document).run()
      try Store.remember(entry, database)
    }
  }

  /// The template with this id, of whatever organization: who knows the id may use it.
  package func template(_ id: String) throws(StoreError) -> TemplateRow? {
    try readOnce { (database: Database) throws(StoreError) -> TemplateRow? in
      try database.statement("SELECT id, organization_id, created_at, document FROM templates WHERE id = ?")
        .bind(1, id).first { row in
          TemplateRow(
            id: row.text(0), organizationID: row.text(1), createdAt: Timestamp(microseconds: row.integer(2)),
            document: row.bytes(3))
        }
    }
  }
}
