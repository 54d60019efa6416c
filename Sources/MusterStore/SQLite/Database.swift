import CPlatform
import CSQLite
import MusterSystem

/// One SQLite connection with its prepared statements. Used by one thread at a time.
final class Database {
  private let handle: OpaquePointer
  private var statements: [StatementText: Statement] = [:]
  private var busyTimeoutMilliseconds: Int64 = 0
  private var busyDeadline = Deadline.never
  /// Whether the log could not be copied into the file for good. The log still holds all, but must not be begun anew.
  private(set) var hasFailedCheckpoint = false

  /// What the open transaction adds to sequence and counts; `Writer` writes it before the commit.
  var tally = Tally()

  enum Access {
    /// A new database in memory.
    case memory
    /// A file that is there; it is never made, so that a file which was moved away does not come back empty.
    case existing
    /// The same, without the right to write.
    case readOnly

    var flags: Int32 {
      switch self {
      case .memory: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY
      case .existing: return SQLITE_OPEN_READWRITE
      case .readOnly: return SQLITE_OPEN_READONLY
      }
    }
  }

  /// Opens a connection.
  init(path: String, access: Access, busyTimeoutMilliseconds: Int64) throws(StoreError) {
    platform_inside_enter()
    defer { platform_inside_leave() }
    var opened: OpaquePointer?
    // SQLITE_OPEN_NOFOLLOW is not set: a store behind a symbolic link is the operator's choice.
    let flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | access.flags
    let result = path.withCString { sqlite3_open_v2($0, &opened, flags, nil) }
    guard result == SQLITE_OK, let opened else {
      var message = Database.message(of: opened, result)
      if let opened, case let number = sqlite3_system_errno(opened), number != 0 {
        message += ": " + StoreFile.errorText(number)
      }
      sqlite3_close_v2(opened)
      throw result == SQLITE_NOTADB ? .notAStore(message) : .cannotOpen(message)
    }
    handle = opened
    ForkGuard.add(connection: opened)
    sqlite3_extended_result_codes(handle, 1)
    setBusyTimeout(milliseconds: busyTimeoutMilliseconds)
    sqlite3_busy_handler(
      handle,
      { context, count in
        guard let context else { return 0 }
        return Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().waitWhileBusy(count) ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// The first bytes of a file, as it is on disk; zeros where it is shorter.
  ///
  /// Read through SQLite: to open and close the file by ourselves would drop the locks that SQLite holds on it for
  /// connections of the host, and another process could then delete the log under them.
  static func head(of path: String, count: Int32) throws(StoreError) -> [UInt8] {
    platform_inside_enter()
    defer { platform_inside_leave() }
    let database = try Database(path: path, access: .readOnly, busyTimeoutMilliseconds: 0)
    guard let file = database.file(SQLITE_FCNTL_FILE_POINTER), let read = file.pointee.pMethods?.pointee.xRead else {
      throw .cannotOpen("SQLite does not show the file")
    }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    let result = read(file, &bytes, count, 0)
    guard result == SQLITE_OK || result == SQLITE_IOERR | (2 << 8) else {
      throw error(result, of: nil)
    }
    return bytes
  }

  /// How long a statement waits for the locks of other connections.
  func setBusyTimeout(milliseconds: Int64) {
    busyTimeoutMilliseconds = min(max(milliseconds, 0), Int64(Int32.max))
  }

  /// Waits a little, longer each time, as SQLite's own handler does; but a fork does not wait for that. False when the
  /// time is over.
  private func waitWhileBusy(_ count: Int32) -> Bool {
    if count == 0 { busyDeadline = .after(milliseconds: busyTimeoutMilliseconds) }
    guard let left = busyDeadline.remainingMilliseconds, left > 0 else { return false }
    let step: Int64 = count < 3 ? 1 : count < 8 ? 10 : count < 12 ? 25 : 50
    Inside.sleepOutside(microseconds: UInt32(clamping: min(step, left) * 1000))
    return true
  }

  /// Copies the log into the file after a commit, as SQLite does by itself, which keeps it a secret when that fails.
  func watchCheckpoints() {
    sqlite3_wal_hook(
      handle,
      { context, handle, name, pages in
        guard let context, pages >= 1000 else { return SQLITE_OK }
        let result = sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        if Database.isFailedSync(result) {
          Unmanaged<Database>.fromOpaque(context).takeUnretainedValue().hasFailedCheckpoint = true
        }
        return SQLITE_OK
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Cuts off what lies in the log behind the last commit.
  ///
  /// A transaction that did not fit has filled the disk with what nobody will read, and SQLite keeps a log as long as it
  /// once was: without room to copy it into the file, it would never be begun anew, and nothing could be written any
  /// more. Whoever holds the right to write is the only one to touch that part of the log. Does nothing when another
  /// program writes just now.
  func cutLog() {
    setBusyTimeout(milliseconds: 0)
    do throws(StoreError) { try execute("BEGIN IMMEDIATE") } catch { return }
    defer { do throws(StoreError) { try execute("ROLLBACK") } catch {} }
    guard let log = file(SQLITE_FCNTL_JOURNAL_POINTER), let methods = log.pointee.pMethods?.pointee,
      let size = methods.xFileSize, let truncate = methods.xTruncate, let end = committedLogSize
    else { return }
    var length: Int64 = 0
    guard size(log, &length) == SQLITE_OK, length > end else { return }
    _ = truncate(log, end)
  }

  /// The header of the log's index, whose format is documented; nil when SQLite does not show it. What was committed
  /// before the call, by whatever process, is in it.
  private var logIndex: UnsafeMutableRawPointer? {
    var index: UnsafeMutableRawPointer?
    guard let main = file(SQLITE_FCNTL_FILE_POINTER), let methods = main.pointee.pMethods?.pointee,
      methods.iVersion >= 2, let map = methods.xShmMap, let barrier = methods.xShmBarrier,
      map(main, 0, 32768, 0, &index) == SQLITE_OK, let index
    else { return nil }
    barrier(main)
    return index.load(as: UInt32.self) == 3_007_000 ? index : nil
  }

  /// How far the commits in the log reach, in bytes; nil when SQLite does not tell. To be asked with the right to write,
  /// so that it stays true.
  private var committedLogSize: Int64? {
    guard let index = logIndex, index.load(fromByteOffset: 14, as: UInt16.self) == 4096 else { return nil }
    let frames = index.load(fromByteOffset: 16, as: UInt32.self)
    // The header stands there twice.
    guard index.load(fromByteOffset: 48 + 16, as: UInt32.self) == frames else { return nil }
    return 32 + Int64(frames) * (24 + 4096)
  }

  /// How the log stands: frames, salts and checksums. Two equal ones stand for the same commits.
  struct LogState: Equatable {
    fileprivate let words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    static func == (one: LogState, other: LogState) -> Bool { one.words == other.words }
  }

  /// Nil when SQLite does not tell; the connection has read before. Somebody may be writing it just now: then it is equal
  /// to no other.
  var logState: LogState? {
    guard let index = logIndex else { return nil }
    func word(_ number: Int) -> UInt64 { index.load(fromByteOffset: number * 8, as: UInt64.self) }
    return LogState(words: (word(0), word(1), word(2), word(3), word(4), word(5)))
  }

  /// A number that changes when another connection, of this or another process, has committed.
  var changeNumber: Int64 {
    get throws(StoreError) { try integer("PRAGMA data_version") }
  }

  /// What SQLite reads and writes the database's file, or its log, with.
  private func file(_ which: Int32) -> UnsafeMutablePointer<sqlite3_file>? {
    var found: UnsafeMutablePointer<sqlite3_file>?
    return sqlite3_file_control(handle, "main", which, &found) == SQLITE_OK ? found : nil
  }

  deinit {
    ForkGuard.remove(connection: handle) {
      statements.removeAll()
      sqlite3_close_v2(handle)
    }
  }

  static func message(of handle: OpaquePointer?, _ result: Int32) -> String {
    let text = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(result)
    return text?.textCopy ?? "SQLite error \(result)"
  }

  /// The store's error for a result code of a connection.
  static func error(_ result: Int32, of handle: OpaquePointer?) -> StoreError {
    switch result & 0xff {
    case SQLITE_BUSY, SQLITE_LOCKED: return .busy
    case SQLITE_FULL: return .full
    case SQLITE_NOTADB, SQLITE_CORRUPT: return .notAStore(Database.message(of: handle, result))
    case SQLITE_CANTOPEN: return .cannotOpen(Database.message(of: handle, result))
    case SQLITE_IOERR where isFailedSync(result): return .poisoned
    default: return .failed("\(Database.message(of: handle, result)) (SQLite \(result))")
    }
  }

  /// Copies the database into another one, which is overwritten; asks now and then whether to go on, and gives false when it
  /// did not. The copy is of one moment if a transaction that has read is open on this connection.
  func copy(to target: Database, while isWanted: () -> Bool) throws(StoreError) -> Bool {
    guard let backup = sqlite3_backup_init(target.handle, "main", handle, "main") else {
      throw Database.error(sqlite3_extended_errcode(target.handle), of: target.handle)
    }
    var result = SQLITE_OK
    var isGivenUp = false
    while result == SQLITE_OK {
      isGivenUp = !isWanted()
      if isGivenUp { break }
      result = sqlite3_backup_step(backup, 1024)
    }
    let end = sqlite3_backup_finish(backup)
    if isGivenUp { return false }
    guard result == SQLITE_DONE, end == SQLITE_OK else {
      throw Database.error(end == SQLITE_OK ? result : end, of: target.handle)
    }
    return true
  }

  /// Whether no transaction is open. SQLite ends one by itself when the disk is full.
  var isOutsideTransaction: Bool { sqlite3_get_autocommit(handle) != 0 }

  /// SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC: after a sync that failed nobody knows what is on disk, and the next
  /// one may succeed all the same.
  private static func isFailedSync(_ result: Int32) -> Bool {
    result == SQLITE_IOERR | (4 << 8) || result == SQLITE_IOERR | (5 << 8)
  }

  /// Rows that the last statement changed.
  var changes: Int { Int(sqlite3_changes64(handle)) }

  /// The key of the row that was inserted last.
  var lastInsertedKey: Int64 { sqlite3_last_insert_rowid(handle) }

  /// Runs statements without parameters and without answers.
  func execute(_ sql: String) throws(StoreError) {
    let result = sql.withCString { sqlite3_exec(handle, $0, nil, nil, nil) }
    guard result == SQLITE_OK else { throw Database.error(result, of: handle) }
  }

  /// A statement that is prepared once per connection; it comes reset, without values. `sql` is one of a bounded number
  /// of texts.
  func statement(_ sql: String) throws(StoreError) -> Statement {
    let text = StatementText(sql: sql)
    if let known = statements[text] {
      known.reset()
      return known
    }
    var made: OpaquePointer?
    let result = sql.withCString {
      sqlite3_prepare_v3(handle, $0, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil)
    }
    guard result == SQLITE_OK, let made else { throw Database.error(result, of: handle) }
    let statement = Statement(made)
    statements[text] = statement
    return statement
  }

  /// The first column of the only row of a query.
  func integer(_ sql: String) throws(StoreError) -> Int64 {
    try statement(sql).first { $0.integer(0) } ?? 0
  }
}

extension UnsafePointer<CChar> {
  /// The text as a string; what is not UTF-8 is repaired.
  var textCopy: String {
    let count = strlen(self)
    return withMemoryRebound(to: UInt8.self, capacity: count) {
      String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self)
    }
  }
}
