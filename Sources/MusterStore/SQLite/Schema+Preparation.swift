extension Schema {
  /// Sets the writing connection up and brings the schema to this build's version; gives the version that it had.
  /// Called by one process at a time.
  static func prepare(_ database: Database, inMemory: Bool) throws(StoreError) -> Int64 {
    let found = try database.integer("PRAGMA user_version")
    guard found <= version else { throw .newer(schema: found, supported: version) }
    let application = try database.integer("PRAGMA application_id")
    if application != applicationID {
      // Looked at before it was opened, the file was empty; meanwhile another program may have made it its own.
      guard found == 0, application == 0, try database.integer("SELECT count(*) FROM sqlite_schema") == 0 else {
        throw .notAStore("it is an SQLite database of another program")
      }
      // The mark is in the first page from the first write on: a process that dies now leaves a store without tables,
      // not the file of another program. Page size and vacuuming act only as long as there is no page, so the
      // transaction must not begin by writing.
      try database.execute(
        """
        PRAGMA page_size=4096; BEGIN; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA application_id=\(applicationID); COMMIT
        """)
    }
    if !inMemory {
      let mode = try database.statement("PRAGMA journal_mode=WAL").first { $0.text(0) }
      guard mode == "wal" else { throw .cannotOpen("the file system does not allow a write-ahead log") }
    }
    try database.execute("PRAGMA foreign_keys=0; PRAGMA cache_size=-4096; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY")
    guard found < version else { return found }
    try database.execute("PRAGMA synchronous=FULL")
    for next in found..<version {
      guard let step = Int(exactly: next), step >= 0, step < migrations.count else { break }
      let sql = migrations[step].withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
      try database.execute("BEGIN IMMEDIATE; \(sql); PRAGMA user_version=\(next + 1); COMMIT")
    }
    // The header on disk then names the version, for those who look before they open.
    if !inMemory { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
    return found
  }
}
