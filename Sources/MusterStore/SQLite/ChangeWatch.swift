import MusterSystem

/// Tells whether anybody has committed to the file of a store: a connection of its own, which sees the commits of all
/// others.
final class ChangeWatch: @unchecked Sendable {
  private let path: String
  private let lock = Lock()
  private var database: Database?
  private var isClosed = false
  /// The last number, and how the log stood before it was asked for.
  private var seen: (log: Database.LogState, number: Int64)?

  init(path: String) { self.path = path }

  /// A number that changes with each commit. It waits for nobody: `busy` when others keep it from being read just now.
  func number() throws(StoreError) -> Int64 {
    try lock.withLock { () throws(StoreError) -> Int64 in
      if isClosed { throw .closed }
      guard let database else {
        let opened = try Readers.open(path, 0)
        database = opened
        return try Inside.run { () throws(StoreError) -> Int64 in try opened.changeNumber }
      }
      return try Inside.run { () throws(StoreError) -> Int64 in
        // What is committed after this look is not taken for seen.
        let log = database.logState
        // The same log holds the same commits: that spares two locks on the file.
        if let log, let seen, seen.log == log { return seen.number }
        let number = try database.changeNumber
        seen = log.map { ($0, number) }
        return number
      }
    }
  }

  /// Closes the connection; later calls answer `closed`.
  func close() {
    lock.withLock {
      database = nil
      isClosed = true
    }
  }
}
