import CSQLite
import Foundation
import TestSupport
import Testing

@testable import MusterStore

/// SQLite's own file system, but for syncs, which fail when a test wants it. For a process of one test: it replaces the
/// process's default.
private enum FailingSync {
  nonisolated(unsafe) static var isOn = false
  /// Files whose name does not end so are synced all the same.
  nonisolated(unsafe) static var suffix = ""
  nonisolated(unsafe) static var open:
    (
      @convention(c) (
        UnsafeMutablePointer<sqlite3_vfs>?, sqlite3_filename?, UnsafeMutablePointer<sqlite3_file>?, Int32,
        UnsafeMutablePointer<Int32>?
      ) -> Int32
    )?
  nonisolated(unsafe) static var sync: (@convention(c) (UnsafeMutablePointer<sqlite3_file>?, Int32) -> Int32)?
  nonisolated(unsafe) static var names: [UnsafeMutablePointer<sqlite3_file>: String] = [:]

  static func install() {
    guard let standard = sqlite3_vfs_find(nil) else { return }
    let copy = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
    copy.initialize(to: standard.pointee)
    open = standard.pointee.xOpen
    copy.pointee.zName = UnsafePointer(strdup("failing-sync"))
    copy.pointee.xOpen = { vfs, name, file, flags, outFlags in
      let result = FailingSync.open?(vfs, name, file, flags, outFlags) ?? SQLITE_ERROR
      guard result == SQLITE_OK, let file, let methods = file.pointee.pMethods else { return result }
      let changed = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
      changed.initialize(to: methods.pointee)
      FailingSync.sync = methods.pointee.xSync
      FailingSync.names[file] = name.map { String(cString: $0) } ?? ""
      changed.pointee.xSync = { file, flags in
        if FailingSync.isOn, let file, FailingSync.names[file]?.hasSuffix(FailingSync.suffix) ?? false {
          return SQLITE_IOERR | (4 << 8)
        }
        return FailingSync.sync?(file, flags) ?? SQLITE_ERROR
      }
      file.pointee.pMethods = UnsafePointer(changed)
      return result
    }
    sqlite3_vfs_register(copy, 1)
  }
}

/// Why `body` fails; nil when it does not.
private func failure(of body: () throws(StoreError) -> Void) -> StoreError? {
  do throws(StoreError) {
    try body()
    return nil
  } catch {
    return error
  }
}

// A process of its own for each test, because the default file system of SQLite belongs to the process.
@Suite("A sync that fails")
struct SyncFailureTests {
  @Test("After a commit that could not be synced nothing is written until the store is opened again; reading goes on")
  func commit() async {
    await #expect(processExitsWith: .success) {
      FailingSync.install()
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      var store = try StoreRegistry.open(path)
      try store.makeScratchTable()
      try store.insertScratch(1, owed: true)
      FailingSync.isOn = true
      guard failure(of: { () throws(StoreError) in try store.insertScratch(2, owed: true) }) == .poisoned else {
        folder.exit(2)
      }
      FailingSync.isOn = false
      guard failure(of: { () throws(StoreError) in try store.insertScratch(3, owed: true) }) == .poisoned else {
        folder.exit(3)
      }
      guard failure(of: { () throws(StoreError) in try store.insertScratch(4) }) == .poisoned else { folder.exit(4) }
      guard try store.scratch() == [1] else { folder.exit(5) }
      StoreRegistry.close(store)
      store = try StoreRegistry.open(path)
      try store.insertScratch(5, owed: true)
      guard try store.scratch() == [1, 5] else { folder.exit(6) }
      StoreRegistry.close(store)
      folder.exit(0)
    }
  }

  @Test("In a batch that could not be synced nobody is told that it is kept")
  func batch() async {
    await #expect(processExitsWith: .success) {
      FailingSync.install()
      let folder = TemporaryFolder()
      let store = try StoreRegistry.open(folder.file("agents.db"))
      try store.makeScratchTable()
      FailingSync.isOn = true
      let acknowledged = Shared(0)
      inParallel(16) { number in
        let error = failure(of: { () throws(StoreError) in try store.insertScratch(Int64(number), owed: true) })
        if error != .poisoned { acknowledged.change { $0 += 1 } }
      }
      guard acknowledged.value == 0, try store.scratch() == [] else { folder.exit(2) }
      folder.exit(0)
    }
  }

  @Test("After a log that could not be copied for good nothing is written, and nothing is lost")
  func checkpoint() async {
    await #expect(processExitsWith: .success) {
      FailingSync.install()
      FailingSync.suffix = ".db"
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      var store = try StoreRegistry.open(path)
      try store.makeScratchTable()
      FailingSync.isOn = true
      // More than the thousand pages after which the log is copied. They are kept: the log itself was synced.
      try store.insertScratch(1, bytes: 5_000_000, owed: true)
      guard failure(of: { () throws(StoreError) in try store.insertScratch(2, owed: true) }) == .poisoned else {
        folder.exit(2)
      }
      StoreRegistry.close(store)
      FailingSync.isOn = false
      store = try StoreRegistry.open(path)
      try store.insertScratch(3, owed: true)
      guard try store.scratch() == [1, 3] else { folder.exit(3) }
      StoreRegistry.close(store)
      folder.exit(0)
    }
  }
}
