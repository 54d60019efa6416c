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
  private var isClosed = false

  init(path: String, busyTimeoutMilliseconds: Int64) {
    self.path = path
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
  }

  /// Runs `body` with a connection; waits for one if all are in use.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    let database = try borrow()
    defer { giveBack(database) }
    // Inside for the whole transaction: a child could not end what its parent has begun.
    return try Inside.run { () throws(StoreError) -> Value in try body(database) }
  }

  /// Waits until no connection is in use, and closes them all; later reads answer `closed`.
  func close() {
    // Freed outside of the lock: closing the last connection of a file copies its log.
    var closing: [Database] = []
    lock.withLock {
      isClosed = true
      while idle.count < opened { _ = returned.wait(lock) }
      swap(&closing, &idle)
      opened = 0
      returned.broadcast()
    }
  }

  private func borrow() throws(StoreError) -> Database {
    lock.lock()
    while !isClosed {
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
          forget()
          throw error
        }
      }
      _ = returned.wait(lock)
    }
    lock.unlock()
    throw .closed
  }

  private func giveBack(_ database: Database) {
    // A connection whose transaction could not be ended would fail the next reader.
    guard database.isOutsideTransaction else { return forget() }
    lock.withLock {
      idle.append(database)
      // Waiting readers and a waiting close share the condition.
      if isClosed { returned.broadcast() } else { returned.signal() }
    }
  }

  private func forget() {
    lock.withLock {
      opened -= 1
      returned.broadcast()
    }
  }

  static func open(_ path: String, _ busyTimeoutMilliseconds: Int64) throws(StoreError) -> Database {
    try Inside.run { () throws(StoreError) -> Database in
      // Not opened read-only: SQLite needs to write the shared-memory file beside a WAL database.
      let database = try Database(path: path, access: .existing, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
      try database.execute("PRAGMA query_only=1; PRAGMA cache_size=-512; PRAGMA mmap_size=0")
      return database
    }
  }
}
