import CSQLite

/// A prepared statement: parameters are counted from 1, columns from 0, as SQLite does.
final class Statement {
  private let handle: OpaquePointer

  init(_ handle: OpaquePointer) { self.handle = handle }

  deinit { sqlite3_finalize(handle) }

  func reset() {
    sqlite3_reset(handle)
    sqlite3_clear_bindings(handle)
  }

  // MARK: - Parameters

  /// SQLite copies the bytes before the bind returns.
  private static let transient = unsafeBitCast(-1 as Int, to: sqlite3_destructor_type.self)

  @discardableResult
  func bind(_ index: Int32, _ value: Int64?) -> Statement {
    if let value { sqlite3_bind_int64(handle, index, value) } else { sqlite3_bind_null(handle, index) }
    return self
  }

  @discardableResult
  func bind(_ index: Int32, _ text: String?) -> Statement {
    guard let text else {
      sqlite3_bind_null(handle, index)
      return self
    }
    return bind(index, Array(text.utf8))
  }

  @discardableResult
  func bind(_ index: Int32, _ text: [UInt8]?) -> Statement {
    guard let text else {
      sqlite3_bind_null(handle, index)
      return self
    }
    text.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { characters in
        // An empty array has no address; SQLite takes a nil pointer for NULL.
        if let base = characters.baseAddress, characters.count > 0 {
          _ = sqlite3_bind_text64(
            handle, index, base, sqlite3_uint64(characters.count), Statement.transient, UInt8(SQLITE_UTF8))
        } else {
          _ = sqlite3_bind_text(handle, index, "", 0, Statement.transient)
        }
      }
    }
    return self
  }

  // MARK: - Running

  /// Goes to the next row; false when there is none.
  func step() throws(StoreError) -> Bool {
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
