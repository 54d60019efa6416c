import Foundation
import MusterSystem
import Testing

@testable import MusterStore

/// A folder that goes away with its object.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    // Resolved, because stores name their files by resolved paths.
    path =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("muster-\(UUID().uuidString)").path
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { remove() }

  private func remove() { try? FileManager.default.removeItem(atPath: path) }

  /// Ends a process that a test has for itself; the folder goes first.
  func exit(_ code: Int32) -> Never {
    remove()
    Foundation.exit(code)
  }

  func file(_ name: String) -> String { path + "/" + name }

  /// Makes a file; gives its path.
  func write(_ data: Data, to name: String) throws -> String {
    try data.write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// The names in the folder, in order.
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

func contents(_ path: String) -> Data? { FileManager.default.contents(atPath: path) }

/// The permission bits of a file.
func mode(_ path: String) -> Int? {
  (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]) as? Int
}

/// How many descriptors this process has open on files below a folder.
func descriptors(below folder: String) -> Int {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
  return names.count { name in
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"))?.hasPrefix(folder) ?? false
  }
}

extension StoreRegistry {
  static func open(_ path: String, timeout: Int64 = 20_000) throws(StoreError) -> Store {
    try open(path: path, busyTimeoutMilliseconds: timeout)
  }
}

/// Opens a new store for `body` and closes it.
func withStore(timeout: Int64 = 20_000, _ body: (Store, TemporaryFolder) throws -> Void) throws {
  let folder = TemporaryFolder()
  let store = try StoreRegistry.open(folder.file("agents.db"), timeout: timeout)
  defer { StoreRegistry.close(store) }
  try body(store, folder)
}

/// Why opening a path fails; nil when it does not.
func refusal(_ path: String) -> StoreError? {
  do throws(StoreError) {
    StoreRegistry.close(try StoreRegistry.open(path))
    return nil
  } catch {
    return error
  }
}

extension Store {
  /// The only number that a query gives.
  func number(_ sql: String) throws -> Int64 { try read { (database) throws(StoreError) in try database.integer(sql) } }

  /// A table that tests may fill.
  func makeScratchTable() throws {
    try write(owed: false) { (database) throws(StoreError) in
      try database.execute("CREATE TABLE scratch (value INTEGER PRIMARY KEY, filling BLOB)")
    }
  }

  func insertScratch(_ value: Int64, bytes: Int64 = 0, owed: Bool = false) throws(StoreError) {
    try write(owed: owed) { (database) throws(StoreError) in
      try database.statement("INSERT INTO scratch VALUES (?, zeroblob(?))").bind(1, value).bind(2, bytes).run()
    }
  }

  /// The values in the scratch table, in order.
  func scratch() throws -> [Int64] {
    try read { (database) throws(StoreError) in
      try database.statement("SELECT value FROM scratch ORDER BY value").all { $0.integer(0) }
    }
  }
}

/// Waits until something is so; false when it is not after ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<2000 {
    if try condition() { return true }
    usleep(5000)
  }
  return false
}
