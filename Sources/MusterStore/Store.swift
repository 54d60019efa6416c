import CPlatform
import CSQLite
import MusterSystem

/// A store in an SQLite file, or in memory. Planes of one process on one file share one object; several processes may
/// use one file.
///
/// Every function may be called from any thread and blocks on the disk.
package final class Store: @unchecked Sendable {
  /// The version of the SQLite library in use.
  package static var libraryVersion: String { sqlite3_libversion().textCopy }

  /// The organization that the store was made with.
  package let firstOrganizationID: String
  /// This process's number among those that have, or had, the store open.
  package let owner: Int64

  /// The process that opened the store; see `isInherited`.
  private let generation = platform_fork_generation()
  /// Whether this process is a forked child of the one that opened the store: its connections are closed here.
  var isInherited: Bool { generation != platform_fork_generation() }

  /// The version of the file's schema before it was opened.
  let foundSchema: Int64

  /// Where pages of agents ended.
  let agentPlaces = ListPlaces()

  private let writer: Writer
  /// Nil for a store in memory.
  private let readers: Readers?
  private let ownership: Ownership?
  private let markLock = Lock()
  private var mark: RunningMark
  private let changes: ChangeWatch
  /// See `takeTidiness`.
  private var isTidy: Bool

  /// Where whoever comes after the death of this process has to look for the tasks that it runs.
  var runningMark: RunningMark {
    get { markLock.withLock { mark } }
    // Of two that were moved at once the later one holds.
    set { markLock.withLock { if newValue.movedAt > mark.movedAt { mark = newValue } } }
  }

  // What `StoreRegistry` keeps about this object, under its lock.
  let identity: StoreRegistry.Identity?
  var openCount = 1

  /// What this process has written to it.
  package var writeCounts: WriteCounts { writer.counts }

  /// Opens the file, makes or migrates it, and shows other processes that this one is alive. `path` is resolved.
  init(path: String, identity: StoreRegistry.Identity?, busyTimeoutMilliseconds: Int64) throws(StoreError) {
    changes = ChangeWatch(path: path)
    self.identity = identity
    let inMemory = identity == nil
    var turnstile: Turnstile?
    if inMemory {
      readers = nil
      ownership = nil
    } else {
      let lockPath = path + "-lock"
      turnstile = try Turnstile(path: lockPath)
      ownership = try Ownership(path: lockPath)
      readers = Readers(path: path, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    }
    // One process at a time prepares the file.
    try turnstile?.enter(until: .after(milliseconds: max(busyTimeoutMilliseconds, 1000)))
    defer { turnstile?.leave() }
    platform_inside_enter()
    defer { platform_inside_leave() }
    let database = try Database(
      path: path, access: inMemory ? .memory : .existing, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    foundSchema = try Schema.prepare(database, inMemory: inMemory)
    let entry = try Store.enter(database, ownership)
    firstOrganizationID = entry.organization
    owner = entry.owner
    mark = entry.mark
    isTidy = entry.isTidy
    writer = Writer(database: database, turnstile: turnstile, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
  }

  /// Finds or makes the first organization, and takes a number for this process. Called by one process at a time.
  private static func enter(
    _ database: Database, _ ownership: Ownership?
  ) throws(StoreError) -> (organization: String, owner: Int64, mark: RunningMark, isTidy: Bool) {
    let known = try database.statement("SELECT value FROM meta WHERE key = 'organization'").first { $0.text(0) }
    // The number alone needs no sync: after a power cut its process is dead, and whatever was written with the number and
    // is safe lies behind it in the log.
    if known != nil { try database.execute("PRAGMA synchronous=NORMAL") }
    try database.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      let organization = known ?? Identifier.make()
      if known == nil {
        try database.statement("INSERT INTO meta VALUES ('organization', ?)").bind(1, organization).run()
        try insertOrganization(organization, database)
      }
      let (owner, mark) = try insertOwner(database)
      // Who leaves a task unfinished leaves the number, too.
      let others = try database.integer("SELECT count(*) FROM owners WHERE id <> last_insert_rowid()")
      // Before the commit: whoever can read the number can also see that it lives.
      try ownership?.claim(owner)
      try database.execute("COMMIT")
      return (organization, owner, mark, others == 0)
    } catch {
      do throws(StoreError) { try database.execute("ROLLBACK") } catch {}
      throw error
    }
  }

  /// Whether no other process had a number when this process took its own. Who leaves a task unfinished leaves its number,
  /// too: there is nothing to take inventory of then. True once at most; it says nothing about later.
  package func takeTidiness() -> Bool {
    markLock.withLock {
      defer { isTidy = false }
      return isTidy
    }
  }

  // MARK: - Transactions

  /// Runs `body` in a transaction and returns when it is committed; `owed`: and safe from a power cut. `body` may run
  /// more than once.
  func write<Value>(
    owed: Bool, _ body: @escaping (Database) throws(StoreError) -> Value
  ) throws(StoreError) -> Value {
    if isInherited { throw .forked }
    var result: Value?
    try writer.perform(owed: owed) { (database: Database) throws(StoreError) in result = try body(database) }
    guard let result else { throw .failed("a transaction without a result") }
    return result
  }

  /// Runs `body` on one state of the store.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    if isInherited { throw .forked }
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

  /// Runs `body`, which reads with one statement: that sees one state of the store without a transaction around it.
  func readOnce<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    if isInherited { throw .forked }
    guard let readers else { return try writer.read(body) }
    return try readers.read(body)
  }

  /// Whether it is in no file: nobody else can have it open, and `changeNumber` tells nothing.
  package var isInMemory: Bool { readers == nil }

  /// A number that changes when any connection, of this or another process, has committed. Costs microseconds, and waits
  /// for nobody: `busy` when others keep it from being read just now. 0 always for a store in memory.
  package func changeNumber() throws(StoreError) -> Int64 {
    if isInherited { throw .forked }
    return isInMemory ? 0 : try changes.number()
  }

  /// A number that changes when another process has committed. Nil for a store in memory, which no other can see. It
  /// waits for the transaction that is under way here.
  package func foreignChangeNumber() throws(StoreError) -> Int64? {
    if isInherited { throw .forked }
    if isInMemory { return nil }
    // What this connection commits itself does not change its number, and no other one of this process writes.
    return try writer.read { (database: Database) throws(StoreError) in try database.changeNumber }
  }

  /// The next number of the store's own order.
  static func nextPosition(_ database: Database) throws(StoreError) -> Int64 {
    try database.tally.nextPosition(database)
  }

  // MARK: - Organizations and owners

  static func insertOrganization(_ id: String, _ database: Database) throws(StoreError) {
    try database.statement("INSERT OR IGNORE INTO organizations VALUES (?, ?)")
      .bind(1, id).bind(2, Timestamp.now().microseconds).run()
  }

  /// Makes the organization if the store does not know it.
  package func ensureOrganization(_ id: String) throws(StoreError) {
    let isKnown = try read { (database: Database) throws(StoreError) -> Bool in
      try database.statement("SELECT 1 FROM organizations WHERE id = ?").bind(1, id).first { _ in true } ?? false
    }
    if isKnown { return }
    try write(owed: true) { (database: Database) throws(StoreError) in try Store.insertOrganization(id, database) }
  }

  /// Whether the process with this number is alive and has the store open. Always true for our own.
  package func isAlive(_ other: Int64) -> Bool {
    other == owner || (ownership?.isAlive(other) ?? false)
  }

  func raiseBusyTimeout(to milliseconds: Int64) { writer.raiseBusyTimeout(to: milliseconds) }

  // MARK: - Closing

  /// Takes our number out and closes every connection and descriptor. Called once, when nobody uses the store any more;
  /// later calls answer `closed`.
  func close() {
    let owner = owner
    do throws(StoreError) {
      // Not worth a long wait: the row may stay, the next process to open the store sees that its owner is dead.
      try writer.perform(owed: false, patienceMilliseconds: 1000) { (database: Database) throws(StoreError) in
        try Store.deleteOwner(owner, database)
      }
    } catch {}
    readers?.close()
    changes.close()
    writer.close()
    // Last: while a connection of ours is open, our number lives.
    ownership?.close()
  }
}
