import CPlatform
package import MusterSystem

/// The stores that this process has open: one object per file, because SQLite's locks, the turnstile and the ownership
/// belong to the process.
package enum StoreRegistry {
  struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private final class Table: @unchecked Sendable {
    let lock = Lock()
    /// Signalled when a file is not being opened or closed any more.
    var changed = Condition()
    var stores: [Identity: Store] = [:]
    /// The files that a thread opens or closes right now.
    var inTransit: Set<Identity> = []
    var generation = platform_fork_generation()

    init() { lock.keepThroughForks() }
  }

  private static let table = Table()

  /// Opens a store, or shares the one that this process has open. `path` is a file or ":memory:", which is never
  /// shared. Each successful call is paid back with `close`. `log` is called without a lock.
  package static func open(
    path: String, busyTimeoutMilliseconds: Int64, log: Log = .none
  ) throws(StoreError) -> Store {
    try ForkGuard.watch()
    let store: Store
    if path == ":memory:" {
      store = try Store(path: path, identity: nil, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
    } else {
      if try isFree(path) { try StoreFile.create(path) }
      let name = try StoreFile.identity(path)
      let identity = Identity(device: name.device, inode: name.inode)
      if let shared = try shareOrReserve(identity, busyTimeoutMilliseconds) { return shared }
      var opened: Store?
      defer { settle(identity, opened) }
      store = try openFile(path, identity, busyTimeoutMilliseconds)
      opened = store
    }
    if store.foundSchema < Schema.version { log.write(.info, "store", "schema version \(Schema.version)") }
    return store
  }

  /// Gives a store back. The last one closes its file: when this returns, no connection and no descriptor is open.
  package static func close(_ store: Store) {
    let isLast = table.lock.withLock { () -> Bool in
      // A store of the parent, given back by a forked child, is closed already.
      guard store.openCount > 0, !store.isInherited else { return false }
      store.openCount -= 1
      guard store.openCount == 0 else { return false }
      if let identity = store.identity {
        table.stores[identity] = nil
        table.inTransit.insert(identity)
      }
      return true
    }
    guard isLast else { return }
    store.close()
    if let identity = store.identity { settle(identity, nil) }
  }

  // MARK: - Opening

  private static func isFree(_ path: String) throws(StoreError) -> Bool {
    var status = platform_file_status()
    return path.withCString { platform_file_stat($0, &status) } == ENOENT
  }

  /// The store that is open, or nil: then the caller opens or closes the file, and ends that with `settle`. Others wait
  /// meanwhile, for this file only.
  private static func shareOrReserve(_ identity: Identity, _ busyTimeoutMilliseconds: Int64) throws(StoreError)
    -> Store?
  {
    try table.lock.withLock { () throws(StoreError) -> Store? in
      leaveParent()
      while table.inTransit.contains(identity) { _ = table.changed.wait(table.lock) }
      if let store = table.stores[identity] {
        store.openCount += 1
        store.raiseBusyTimeout(to: busyTimeoutMilliseconds)
        return store
      }
      table.inTransit.insert(identity)
      return nil
    }
  }

  private static func settle(_ identity: Identity, _ opened: Store?) {
    table.lock.withLock {
      table.inTransit.remove(identity)
      table.stores[identity] = opened
      table.changed.broadcast()
    }
  }

  private static func openFile(
    _ path: String, _ identity: Identity, _ busyTimeoutMilliseconds: Int64
  ) throws(StoreError) -> Store {
    let path = try StoreFile.resolved(path)
    try StoreFile.inspect(path)
    return try Store(path: path, identity: identity, busyTimeoutMilliseconds: busyTimeoutMilliseconds)
  }

  /// In a forked child: forgets what the parent had open. Called with the lock held.
  private static func leaveParent() {
    guard table.generation != platform_fork_generation() else { return }
    table.generation = platform_fork_generation()
    // Never freed: to destroy a condition would wait for threads that are not in this process.
    for (_, store) in table.stores { _ = Unmanaged.passRetained(store) }
    _ = Unmanaged.passRetained(table.changed)
    table.stores = [:]
    table.inTransit = []
    table.changed = Condition()
  }
}
