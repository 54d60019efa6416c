import CPlatform
import CSQLite
import MusterSystem

/// A store in an SQLite file, or in memory. Planes of one process on one file share one object; several processes may use one file.
///
/// Every function may be called from any thread and blocks on the disk.
package final class Store: @unchecked Sendable {
  /// The version of the SQLite library in use.
  package static var libraryVersion: String { sqlite3_libversion().textCopy }

  /// The organization that the store was made with.
  package let firstOrganizationID: String
  /// This process's number among those that have, or had, the store open.
  package let owner: Int64

  private let writer: Writer
  /// Nil for a store in memory.
  private let readers: Readers?
  private let ownership: Ownership?
  private let watchLock = Lock()
  private var watcher: Database?
  private let path: String
  private let busyTimeoutMilliseconds: Int64

  // What `StoreRegistry` keeps about this object, under its lock.
  let identity: StoreRegistry.Identity?
  var openCount = 1

  /// Opens the file, makes or migrates it, and shows other processes that this one is alive.
  init(path: String, identity: StoreRegistry.Identity?, busyTimeoutMilliseconds: Int64, log: Log) throws(StoreError) {
    self.path = path
    self.identity = identity
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
    let inMemory = identity == nil
    var turnstile: Turnstile?
    if inMemory {
      readers = nil
      ownership = nil
    } else {
      let lockPath = path + "-lock"
      turnstile = Turnstile(descriptor: try Store.openLockFile(lockPath))
      ownership = Ownership(descriptor: try Store.openLockFile(lockPath))
      readers = Readers(path: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    }
    // One process at a time prepares the file.
    try turnstile?.enter(until: .after(milliseconds: max(busyTimeoutMilliseconds, 1000)))
    defer { turnstile?.leave() }
    let database = try Database(path: path, readOnly: false, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    try Store.prepare(database, inMemory: inMemory, log: log)
    var organization: String?
    var number: Int64 = 0
    try database.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      let known = try database.statement("SELECT value FROM meta WHERE key = 'organization'")
      if try known.step() { organization = known.text(0) }
      if organization == nil {
        let made = Identifier.make()
        organization = made
        try database.statement("INSERT INTO meta VALUES ('organization', ?)").bind(1, made).run()
        try Store.insertOrganization(made, database)
      }
      try database.statement("INSERT INTO owners (process_id, opened_at) VALUES (?, ?)")
        .bind(1, Int64(platform_process_id())).bind(2, Timestamp.now().microseconds).run()
      number = try database.integer("SELECT last_insert_rowid()")
      // Before the commit: whoever can read the number can also see that it lives.
      try ownership?.claim(number)
      try database.execute("COMMIT")
    } catch {
      do throws(StoreError) { try database.execute("ROLLBACK") } catch {}
      throw error
    }
    firstOrganizationID = organization ?? ""
    owner = number
    writer = Writer(database: database, turnstile: turnstile, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
  }

  private static func openLockFile(_ path: String) throws(StoreError) -> Int32 {
    let descriptor = path.withCString {
      platform_file_open($0, platform_open_read_write | platform_open_create, 0o600)
    }
    guard descriptor >= 0 else { throw .cannotOpen("\(path): \(StoreFile.errorText(platform_errno()))") }
    return descriptor
  }

  /// Sets the connection up and brings the schema to this build's version.
  private static func prepare(_ database: Database, inMemory: Bool, log: Log) throws(StoreError) {
    let found = try database.integer("PRAGMA user_version")
    guard found <= Schema.version else { throw .newer(schema: found, supported: Schema.version) }
    if found == 0 {
      try database.execute("PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL")
    } else if try database.integer("PRAGMA application_id") != Schema.applicationID {
      throw .notAStore("it is an SQLite database of another program")
    }
    if !inMemory {
      try database.execute("PRAGMA journal_mode=WAL")
    }
    try database.execute("PRAGMA foreign_keys=0; PRAGMA cache_size=-4096; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY")
    guard found < Schema.version else { return }
    try database.execute("PRAGMA synchronous=FULL")
    for version in found..<Schema.version {
      guard let step = Int(exactly: version), step >= 0, step < Schema.migrations.count else { break }
      let sql = Schema.migrations[step].withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
      try database.execute(
        "BEGIN IMMEDIATE; \(sql); PRAGMA user_version=\(version + 1); PRAGMA application_id=\(Schema.applicationID); COMMIT")
      log.write(.info, "store", "schema version \(version + 1)")
    }
    // The header on disk then names the version, for those who look before they open.
    if !inMemory { try database.execute("PRAGMA wal_checkpoint(TRUNCATE)") }
  }

  // MARK: - Transactions

  /// Runs `body` in a transaction and returns when it is committed; `owed`: and safe from a power cut. `body` may run more than once.
  func write<Value>(
    owed: Bool, _ body: @escaping (Database) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    var result: Value?
    let job = WriteJob(isOwed: owed) { (database: Database) throws(StoreError) in result = try body(database) }
    try writer.perform(job)
    guard let result else { throw .failed("a transaction without a result") }
    return result
  }

  /// Runs `body` on one state of the store.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    guard let readers else { return try writer.read(body) }
    return try readers.read { (database: Database) throws(StoreError) -> Value in
      try database.statement("BEGIN").run()
      do throws(StoreError) {
        let value = try body(database)
        try database.statement("COMMIT").run()
        return value
      } catch {
        do throws(StoreError) { try database.execute("ROLLBACK") } catch {}
        throw error
      }
    }
  }

  /// A number that changes when any connection, of this or another process, has committed. Costs microseconds; 0 always for a store in memory.
  package func changeNumber() throws(StoreError) -> Int64 {
    guard readers != nil else { return 0 }
    return try watchLock.withLock { () throws(StoreError) -> Int64 in
      let database: Database
      if let watcher {
        database = watcher
      } else {
        database = try Readers.open(path, busyTimeoutMilliseconds)
        watcher = database
      }
      let statement = try database.statement("PRAGMA data_version")
      let number = try statement.step() ? statement.integer(0) : 0
      statement.reset()
      return number
    }
  }

  /// The next number of the store's own order.
  static func nextPosition(_ database: Database) throws(StoreError) -> Int64 {
    let statement = try database.statement("UPDATE meta SET value = value + 1 WHERE key = 'sequence' RETURNING value")
    guard try statement.step() else { throw .notAStore("its sequence is missing") }
    let position = statement.integer(0)
    statement.reset()
    return position
  }

  // MARK: - Organizations and owners

  private static func insertOrganization(_ id: String, _ database: Database) throws(StoreError) {
    try database.statement("INSERT OR IGNORE INTO organizations VALUES (?, ?)")
      .bind(1, id).bind(2, Timestamp.now().microseconds).run()
  }

  /// Makes the organization if the store does not know it.
  package func ensureOrganization(_ id: String) throws(StoreError) {
    let isKnown = try read { (database: Database) throws(StoreError) -> Bool in
      let statement = try database.statement("SELECT 1 FROM organizations WHERE id = ?").bind(1, id)
      let found = try statement.step()
      statement.reset()
      return found
    }
    if isKnown { return }
    try write(owed: true) { (database: Database) throws(StoreError) in try Store.insertOrganization(id, database) }
  }

  /// Whether the process with this number is alive and has the store open. Always true for our own.
  package func isAlive(_ other: Int64) -> Bool {
    other == owner || (ownership?.isAlive(other) ?? false)
  }

  func raiseBusyTimeout(to milliseconds: Int64) { writer.raiseBusyTimeout(to: milliseconds) }

  /// Takes our number out; called once, when nobody uses the store any more.
  func sayGoodbye() {
    let owner = owner
    do throws(StoreError) {
      try write(owed: false) { (database: Database) throws(StoreError) in
        try database.statement("DELETE FROM owners WHERE id = ?").bind(1, owner).run()
      }
    } catch {
      // The row stays; the next process to open the store sees that its owner is dead.
    }
    ownership?.release(owner)
  }
}
