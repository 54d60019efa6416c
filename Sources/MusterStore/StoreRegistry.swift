package import MusterSystem

/// The stores that this process has open: one object per file, because SQLite's locks, the turnstile and the ownership belong to the process.
package enum StoreRegistry {
  struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private final class Table: @unchecked Sendable {
    let lock = Lock()
    var stores: [Identity: Store] = [:]
  }

  private static let table = Table()

  /// Opens a store, or shares the one that this process has open. `path` is a file or ":memory:", which is never shared. Each successful call is paid
  /// back with `close`.
  package static func open(
    path: String, busyTimeoutMilliseconds: Int64, log: Log = .none
  ) throws(StoreError) -> Store {
    if path == ":memory:" {
      return try Store(path: path, identity: nil, busyTimeoutMilliseconds: busyTimeoutMilliseconds, log: log)
    }
    let found = try StoreFile.inspect(path)
    if found == .empty { try StoreFile.create(path) }
    let name = try StoreFile.identity(path)
    let identity = Identity(device: name.device, inode: name.inode)
    // The lock is held while a file is opened, so that two planes cannot both make an object for it.
    return try table.lock.withLock { () throws(StoreError) -> Store in
      if let store = table.stores[identity] {
        store.openCount += 1
        store.raiseBusyTimeout(to: busyTimeoutMilliseconds)
        return store
      }
      let store = try Store(
        path: path, identity: identity, busyTimeoutMilliseconds: busyTimeoutMilliseconds, log: log)
      table.stores[identity] = store
      return store
    }
  }

  /// Gives a store back. The last one closes its file.
  package static func close(_ store: Store) {
    table.lock.withLock {
      store.openCount -= 1
      guard store.openCount == 0 else { return }
      store.sayGoodbye()
      if let identity = store.identity { table.stores[identity] = nil }
    }
  }
}
