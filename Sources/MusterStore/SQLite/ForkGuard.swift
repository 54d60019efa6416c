import CPlatform
import CSQLite
import MusterSystem

/// Keeps SQLite in order when the process forks.
///
/// A child that opens a file while an inherited connection to it stays open believes that it holds the parent's locks:
/// the parent, closing, would delete the log under it. A child that is forked while a thread is inside SQLite finds
/// locks that nobody gives back. So a fork waits until no thread of ours is inside and takes SQLite's own mutexes, and
/// the child begins by closing what it inherited: connections, the turnstile's and the owner's descriptors.
enum ForkGuard {
  private final class Table: @unchecked Sendable {
    /// Taken inside only, so that it is free whenever the process forks.
    let lock = Lock()
    var connections: [OpaquePointer] = []
    var descriptors: [Int32] = []
    /// SQLite's static mutexes in the order in which it nests them itself: SQLITE_MUTEX_STATIC_OPEN, VFS1 to VFS3, LRU,
    /// PMEM, PRNG, MAIN, MEM. The three for applications (8, 9, 10) are the host's own: it may hold one when it forks.
    let mutexes: [OpaquePointer] = [4, 11, 12, 13, 6, 7, 5, 2, 3].compactMap { sqlite3_mutex_alloc($0) }
  }

  private static let table = Table()

  /// Begins to watch for forks. Called before the first connection is opened; later calls do nothing.
  static func watch() throws(StoreError) {
    guard sqlite3_initialize() == SQLITE_OK else { throw .cannotOpen("SQLite cannot be initialised") }
    _ = table.mutexes.count
    let failure = platform_fork_watch(
      { for mutex in ForkGuard.table.mutexes { sqlite3_mutex_enter(mutex) } },
      { for mutex in ForkGuard.table.mutexes.reversed() { sqlite3_mutex_leave(mutex) } },
      {
        for mutex in ForkGuard.table.mutexes.reversed() { sqlite3_mutex_leave(mutex) }
        ForkGuard.leaveParent()
      })
    guard failure == 0 else { throw .cannotOpen("forks cannot be watched: \(StoreFile.errorText(failure))") }
  }

  /// In the child, before anything else: the lock of the owner is to end with the parent, whatever the child does.
  private static func leaveParent() {
    for connection in table.connections { csqlite_abandon(connection) }
    for descriptor in table.descriptors { _ = CPlatform.close(descriptor) }
    table.connections = []
    table.descriptors = []
  }

  // MARK: - What a child would inherit

  static func add(connection: OpaquePointer) {
    Inside.run { table.lock.withLock { table.connections.append(connection) } }
  }

  /// Runs `close` unless this process is a child and has closed the connection already.
  static func remove(connection: OpaquePointer, _ close: () -> Void) {
    Inside.run {
      let isOurs = table.lock.withLock { () -> Bool in
        guard let index = table.connections.firstIndex(of: connection) else { return false }
        table.connections.remove(at: index)
        return true
      }
      if isOurs { close() }
    }
  }

  /// Opens a lock file that a child must not keep open. Closed with `close(descriptor:)`.
  static func open(_ path: String) throws(StoreError) -> Int32 {
    let descriptor = Inside.run {
      let descriptor = path.withCString {
        platform_file_open($0, platform_open_read_write | platform_open_create, 0o600)
      }
      if descriptor >= 0 { table.lock.withLock { table.descriptors.append(descriptor) } }
      return descriptor
    }
    guard descriptor >= 0 else { throw .cannotOpen("\(path): \(StoreFile.errorText(platform_errno()))") }
    return descriptor
  }

  /// Closes a descriptor that `open` gave in this process. `generation`: that of the process which opened it.
  static func close(descriptor: Int32, generation: UInt32) {
    Inside.run {
      guard generation == platform_fork_generation() else { return }
      table.lock.withLock {
        if let index = table.descriptors.firstIndex(of: descriptor) { table.descriptors.remove(at: index) }
      }
      _ = CPlatform.close(descriptor)
    }
  }
}
