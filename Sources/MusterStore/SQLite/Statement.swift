import CSQLite

/// A prepared statement: parameters are counted from 1, columns from 0, as SQLite does.
final class Statement {
  private let handle: OpaquePointer
  /// The first bind that failed since the last reset.
  private var bindResult = SQLITE_OK

  init(_ handle: OpaquePointer) { self.handle = handle }

  deinit { sqlite3_finalize(handle) }

  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
    bindResult = SQLITE_OK
  }

  // MARK: - Parameters

  /// SQLite copies the bytes before the bind returns.
  private static let transient = unsafeBitCast(-1 as Int, to: sqlite3_destructor_type.self)

  @discardableResult
  func bind(_ index: Int32, _ value: Int64?) -> Statement {
    note(value.map { sqlite3_bind_int64(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
    return self
  }

  @discardableResult
  func bind(_ index: Int32, _ text: String?) -> Statement {
    guard var text else {
      note(sqlite3_bind_null(handle, index))
      return self
    }
    text.withUTF8 { bind(index, $0) }
    return self
  }

  @discardableResult
  func bind(_ index: Int32, _ text: [UInt8]?) -> Statement {
    guard let text else {
      note(sqlite3_bind_null(handle, index))
      return self
    }
    text.withUnsafeBufferPointer { bind(index, $0) }
    return self
  }

  private func bind(_ index: Int32, _ text: UnsafeBufferPointer<UInt8>) {
    text.withMemoryRebound(to: CChar.self) { characters in
      // An empty array has no address; SQLite takes a nil pointer for NULL.
      if let base = characters.baseAddress, characters.count > 0 {
        note(
          sqlite3_bind_text64(
            handle, index, base, sqlite3_uint64(characters.count), Statement.transient, UInt8(SQLITE_UTF8)))
      } else {
        note(sqlite3_bind_text(handle, index, "", 0, Statement.transient))
      }
    }
  }

  /// A value that could not be bound would be stored as NULL: the next step fails instead.
  private func note(_ result: Int32) {
    if bindResult == SQLITE_OK { bindResult = result }
  }

  // MARK: - Running

  /// Goes to the next row; false when there is none, and then the statement is reset. Whoever stops at a row resets it:
  /// an open statement keeps the connection's transaction, and with it the state of the store that it reads.
  func step() throws(StoreError) -> Bool {
    guard bindResult == SQLITE_OK else { throw Database.error(bindResult, of: sqlite3_db_handle(handle)) }
    switch sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(handle)
      return false
    case let code:
      let error = Database.error(code, of: sqlite3_db_handle(handle))
      sqlite3_reset(handle)
      throw error
    }
  }

  /// Runs a statement that gives no rows.
  func run() throws(StoreError) {
    while try step() {}
  }

  /// What `read` makes of the first row; nil when there is none. The statement is reset.
  func first<Value>(_ read: (Statement) -> Value) throws(StoreError) -> Value? {
    guard try step() else { return nil }
    defer { reset() }
    return read(self)
  }

  /// What `read` makes of each row.
  func all<Value>(_ read: (Statement) -> Value) throws(StoreError) -> [Value] {
    var values: [Value] = []
    while try step() { values.append(read(self)) }
    return values
  }

  // MARK: - Columns

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

  /// The bytes of a text; empty for NULL.
  func bytes(_ column: Int32) -> [UInt8] {
    guard let text = sqlite3_column_text(handle, column) else { return [] }
    return Array(UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(handle, column))))
  }

  func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

  func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  /// Appends the bytes of a text to `output`, without a copy in between.
  func append(_ column: Int32, to output: inout [UInt8]) {
    guard let text = sqlite3_column_text(handle, column) else { return }
    output.append(contentsOf: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(handle, column))))
  }
}
