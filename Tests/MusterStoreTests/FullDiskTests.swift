import CSQLite
import Foundation
import Testing

@testable import MusterStore

@Suite("The log after a write that did not fit")
struct FullDiskTests {
  /// Lets the store grow by 8 MB and no more, as a full disk does.
  private func limit(_ store: Store) throws {
    try store.makeScratchTable()
    try store.write(owed: false) { (database) throws(StoreError) in
      let pages = try database.integer("PRAGMA page_count")
      try database.execute("PRAGMA max_page_count=\(pages + 2000)")
    }
  }

  private func logSize(_ folder: TemporaryFolder) throws -> Int {
    try #require(FileManager.default.attributesOfItem(atPath: folder.file("agents.db-wal"))[.size] as? Int)
  }

  @Test("The room that it took is given back, and everything else is there")
  func room() throws {
    try withStore { store, folder throws in
      try limit(store)
      for value in 0..<10 { try store.insertScratch(Int64(value), bytes: 1000, owed: true) }
      let before = try logSize(folder)
      #expect(throws: StoreError.full) { try store.insertScratch(1000, bytes: 12_000_000, owed: true) }
      #expect(try logSize(folder) == before)
      #expect(try store.scratch() == Array(0..<10))
      try store.insertScratch(10, bytes: 1000, owed: true)
      #expect(try store.scratch() == Array(0...10))
    }
  }

  @Test("What another connection has committed behind it stays")
  func others() throws {
    try withStore { store, folder throws in
      try limit(store)
      try store.insertScratch(0, owed: true)
      var other: OpaquePointer?
      #expect(sqlite3_open(folder.file("agents.db"), &other) == SQLITE_OK)
      defer { sqlite3_close(other) }
      for value in 1..<50 {
        let sql = "INSERT INTO scratch VALUES (\(value), zeroblob(5000))"
        #expect(sqlite3_exec(other, sql, nil, nil, nil) == SQLITE_OK)
      }
      #expect(throws: StoreError.full) { try store.insertScratch(1000, bytes: 12_000_000, owed: true) }
      #expect(try store.scratch() == Array(0..<50))
      #expect(try store.number("SELECT sum(length(filling)) FROM scratch") == 49 * 5000)
      #expect(sqlite3_exec(other, "INSERT INTO scratch VALUES (50, NULL)", nil, nil, nil) == SQLITE_OK)
      #expect(try store.scratch() == Array(0...50))
      #expect(sqlite3_exec(other, "PRAGMA integrity_check", nil, nil, nil) == SQLITE_OK)
    }
  }

  @Test("A log that has just been copied may be cut too")
  func copied() throws {
    let folder = TemporaryFolder()
    var store = try StoreRegistry.open(folder.file("agents.db"))
    try limit(store)
    // More than the thousand pages after which the log is copied; the next write begins it anew.
    try store.insertScratch(0, bytes: 5_000_000, owed: true)
    #expect(throws: StoreError.full) { try store.insertScratch(1000, bytes: 12_000_000, owed: true) }
    #expect(try store.scratch() == [0])
    // As a crash leaves it: the files as they are now.
    for name in ["agents.db", "agents.db-wal"] {
      try FileManager.default.copyItem(atPath: folder.file(name), toPath: folder.file("copy-" + name))
    }
    StoreRegistry.close(store)
    store = try StoreRegistry.open(folder.file("copy-agents.db"))
    #expect(try store.scratch() == [0])
    #expect(try store.number("SELECT length(filling) FROM scratch") == 5_000_000)
    StoreRegistry.close(store)
  }
}
