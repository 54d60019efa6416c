import Foundation
import Testing

@testable import MusterStore

@Suite("Files that are not ours")
struct RefusalTests {
  /// Expects that the file is refused, and that it and its folder stay as they are.
  private func expectUntouched(_ folder: TemporaryFolder, _ path: String) throws -> StoreError? {
    let before = contents(path)
    let names = folder.names
    let date = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    let error = refusal(path)
    #expect(contents(path) == before)
    #expect(folder.names == names)
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date == date)
    return error
  }

  @Test("A directory is refused")
  func directory() throws {
    let folder = TemporaryFolder()
    let path = folder.file("directory")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(try expectUntouched(folder, path) == .notAStore("it is a directory"))
  }

  @Test("A pipe is refused without waiting for a writer")
  func pipe() throws {
    let folder = TemporaryFolder()
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(refusal(folder.file("pipe")) == .notAStore("it is not a regular file"))
  }

  @Test("A file that is no database is refused and stays as it is", arguments: [1, 15, 16, 99, 100, 4096, 70_000])
  func otherFile(size: Int) throws {
    let folder = TemporaryFolder()
    let path = try folder.write(Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }), to: "other")
    #expect(try expectUntouched(folder, path) == .notAStore("it is not an SQLite database"))
  }

  @Test(
    "The database of another program is refused and stays as it is",
    arguments: [
      "CREATE TABLE t (x)", "PRAGMA journal_mode=WAL; CREATE TABLE t (x)", "PRAGMA user_version=1; CREATE TABLE t (x)",
      "PRAGMA application_id=77; CREATE TABLE t (x)",
    ])
  func otherProgram(sql: String) throws {
    let folder = TemporaryFolder()
    let path = folder.file("other")
    _ = try python("sqlite3.connect(sys.argv[1], isolation_level=None).executescript(sys.argv[2])", path, sql)
    #expect(try expectUntouched(folder, path) == .notAStore("it is an SQLite database of another program"))
  }

  @Test("A store of a newer version is refused and stays as it is")
  func newer() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    try FileManager.default.removeItem(atPath: path + "-lock")
    _ = try python("sqlite3.connect(sys.argv[1], isolation_level=None).execute('PRAGMA user_version=2')", path)
    #expect(folder.names == ["agents.db"])
    #expect(try expectUntouched(folder, path) == .newer(schema: 2, supported: 1))
  }

  @Test("A newer version that is only in the log is refused, too")
  func newerInLog() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    let other = try OtherProcess(
      """
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      database.execute("PRAGMA user_version=9")
      say("written")
      hear()
      """, [path])
    #expect(other.line() == "written")
    #expect(refusal(path) == .newer(schema: 9, supported: 1))
  }

  @Test("What cannot be opened or made is said with the reason")
  func unreachable() throws {
    let folder = TemporaryFolder()
    #expect(refusal(folder.file("no/such/folder.db")) == .cannotOpen("No such file or directory"))
    #expect(refusal("") == .cannotOpen("No such file or directory"))
    #expect(refusal(try folder.write(Data(), to: "file") + "/agents.db") == .cannotOpen("Not a directory"))
    try FileManager.default.createSymbolicLink(atPath: folder.file("dangling"), withDestinationPath: "nowhere")
    #expect(refusal(folder.file("dangling")) == .cannotOpen("No such file or directory"))
  }

  @Test("A damaged store is an error, not a crash")
  func damaged() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    var bytes = try #require(contents(path))
    for index in 100..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index &* 7) }
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = try #require(refusal(path))
    guard case .notAStore = error else {
      Issue.record("\(error)")
      return
    }
  }
}
