import CPlatform
import MusterSystem

extension Store {
  /// Writes a copy of the store, as it is at one moment, into a new file that only its owner can read; gives its size.
  /// Writers go on meanwhile. The file appears under its name when it is whole and on disk; a file that is there is not
  /// touched. `isWanted` is asked now and then: when it says no, the copy is given up, and the answer is nil.
  package func backUp(to path: String, while isWanted: () -> Bool) throws(StoreError) -> Int64? {
    if try Store.isTaken(path) { throw .cannotOpen("\(path): \(StoreFile.errorText(EEXIST))") }
    let partial = "\(path)-\(Identifier.make())"
    let isWhole: Bool
    do throws(StoreError) {
      try StoreFile.create(partial)
      isWhole = try copy(to: partial, while: isWanted)
    } catch {
      StoreFile.remove(partial)
      throw error
    }
    guard isWhole else {
      StoreFile.remove(partial)
      return nil
    }
    let failure = partial.withCString { from in path.withCString { platform_file_publish(from, $0) } }
    guard failure == 0 else {
      StoreFile.remove(partial)
      throw .cannotOpen("\(path): \(StoreFile.errorText(failure))")
    }
    var status = platform_file_status()
    return path.withCString { platform_file_stat($0, &status) } == 0 ? status.size : 0
  }

  private static func isTaken(_ path: String) throws(StoreError) -> Bool {
    var status = platform_file_status()
    switch path.withCString({ platform_file_stat($0, &status) }) {
    case 0: return true
    case ENOENT: return false
    case let number: throw .cannotOpen("\(path): \(StoreFile.errorText(number))")
    }
  }

  private func copy(to path: String, while isWanted: () -> Bool) throws(StoreError) -> Bool {
    try read { (database: Database) throws(StoreError) -> Bool in
      // Until this statement the transaction is of no moment yet.
      _ = try database.integer("SELECT count(*) FROM meta")
      let target = try Database(path: path, access: .existing, busyTimeoutMilliseconds: 0)
      // Nobody else knows the file, and what is not whole is removed: no journal is needed.
      try target.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL")
      return try database.copy(to: target, while: isWanted)
    }
  }
}
