import MusterSystem

/// The reading connections of a store: opened when they are needed, at most eight.
final class Readers: @unchecked Sendable {
  private static let most = 8

  private let path: String
  private let busyTimeoutMilliseconds: Int64
  private let lock = Lock()
  private let returned = Condition()
  private var idle: [Database] = []
  private var opened = 0

  init(path: String, busyTimeoutMilliseconds: Int64) {
    self.path = path
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
  }

  /// Runs `body` with a connection; waits for one if all are in use.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    let database = try borrow()
    defer {
      lock.withLock {
        idle.append(database)
        returned.signal()
      }
    }
    return try body(database)
  }

  private func borrow() throws(StoreError) -> Database {
    lock.lock()
    while true {
      if let database = idle.popLast() {
        lock.unlock()
        return database
      }
      if opened < Readers.most {
        opened += 1
        lock.unlock()
        do throws(StoreError) {
          return try Readers.open(path, busyTimeoutMilliseconds)
        } catch {
          lock.withLock {
            opened -= 1
            returned.signal()
          }
          throw error
        }
      }
      _ = returned.wait(lock)
    }
  }

  static func open(_ path: String, _ busyTimeoutMilliseconds: Int64) throws(StoreError) -> Database {
    // Not opened read-only: SQLite needs to write the shared-memory file beside a WAL database.
    let database = try Database(path: path, readOnly: false, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    try database.execute("PRAGMA query_only=1; PRAGMA cache_size=-512; PRAGMA mmap_size=0")
    return database
  }
}
