import Foundation
import TestSupport
import Testing

@testable import MusterStore

/// Serialized: one test changes the working directory.
@Suite("One file, several paths and planes", .serialized)
struct SharingTests {
  @Test("Relative path, absolute path and symbolic link of one file share one store")
  func paths() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    try FileManager.default.createDirectory(atPath: folder.file("sub"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(atPath: folder.file("sub/link"), withDestinationPath: "../agents.db")
    let store = try StoreRegistry.open(path)
    let relative = try #require(relativePath(to: path))
    for other in [path, relative, folder.file("sub/../agents.db"), folder.file("sub/link")] {
      #expect(try StoreRegistry.open(other) === store)
    }
    for _ in 0..<4 { StoreRegistry.close(store) }
    #expect(try store.number("SELECT 1") == 1)
    StoreRegistry.close(store)
    #expect(descriptors(below: folder.path) == 0)
  }

  private func relativePath(to path: String) -> String? {
    let depth = FileManager.default.currentDirectoryPath.split(separator: "/").count
    return String(repeating: "../", count: depth) + path.dropFirst()
  }

  @Test("Through a symbolic link, the files beside the store are beside the file itself")
  func link() throws {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("sub"), withIntermediateDirectories: false)
    StoreRegistry.close(try StoreRegistry.open(folder.file("agents.db")))
    try FileManager.default.createSymbolicLink(atPath: folder.file("sub/link"), withDestinationPath: "../agents.db")
    let store = try StoreRegistry.open(folder.file("sub/link"))
    try store.ensureOrganization("o")
    // Otherwise two processes with different paths would each believe the other one dead.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("sub")) == ["link"])
    #expect(folder.names.contains("agents.db-lock"))
    StoreRegistry.close(store)
  }

  @Test("A relative path means the same file after the host has changed its working directory")
  func workingDirectory() throws {
    let folder = TemporaryFolder()
    let elsewhere = TemporaryFolder()
    let before = FileManager.default.currentDirectoryPath
    defer { _ = FileManager.default.changeCurrentDirectoryPath(before) }
    #expect(FileManager.default.changeCurrentDirectoryPath(folder.path))
    let store = try StoreRegistry.open("agents.db")
    #expect(FileManager.default.changeCurrentDirectoryPath(elsewhere.path))
    // Connections for reading are opened only now.
    #expect(try store.number("SELECT count(*) FROM organizations") == 1)
    #expect(try store.changeNumber() > 0)
    #expect(elsewhere.names == [])
    StoreRegistry.close(store)
  }

  @Test("A file that was moved away does not come back empty")
  func moved() throws {
    try withStore { store, folder throws in
      for name in folder.names {
        try FileManager.default.moveItem(atPath: folder.file(name), toPath: folder.file("moved-" + name))
      }
      #expect(throws: StoreError.self) { try store.number("SELECT 1") }
      #expect(folder.names.allSatisfy { $0.hasPrefix("moved-") })
    }
  }

  @Test("Opening a store again keeps SQLite's locks on the file: another process does not take the log away")
  func locksAreKept() throws {
    try withStore { store, folder throws in
      let path = folder.file("agents.db")
      try store.makeScratchTable()
      // A second plane, and one that looks at the file while it is open under another name.
      let again = try StoreRegistry.open(path)
      #expect(again === store)
      StoreRegistry.close(again)
      try store.insertScratch(1)
      // When it closes, this process would delete the log if it believed itself alone.
      let seen = try python(
        """
        database = sqlite3.connect(sys.argv[1], isolation_level=None)
        count = database.execute("SELECT count(*) FROM scratch").fetchone()[0]
        database.close()
        say(count)
        """, path)
      #expect(seen == "1")
      #expect(folder.names.contains("agents.db-wal"))
      try store.insertScratch(2)
      let next = try python(
        "say(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM scratch').fetchone()[0])", path)
      #expect(next == "2")
    }
  }

  @Test("Opening a store keeps the locks of the host's own connections to the file")
  func hostLocksAreKept() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    // The host's: a connection of this process that the registry does not know.
    let host = try Database(path: path, access: .existing, busyTimeoutMilliseconds: 1000)
    try host.execute("CREATE TABLE scratch (value INTEGER PRIMARY KEY, filling BLOB)")
    StoreRegistry.close(try StoreRegistry.open(path))
    try host.execute("INSERT INTO scratch VALUES (1, NULL)")
    _ = try python(
      """
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      database.execute("SELECT count(*) FROM scratch").fetchone()
      database.close()
      """, path)
    #expect(folder.names.contains("agents.db-wal"))
    try host.execute("INSERT INTO scratch VALUES (2, NULL)")
    let seen = try python(
      "say(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM scratch').fetchone()[0])", path)
    #expect(seen == "2")
  }

  @Test("A store that waits to be opened keeps no other store from being opened")
  func independence() throws {
    let folder = TemporaryFolder()
    let path = folder.file("busy.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    let other = try OtherProcess(
      """
      lock(sys.argv[1], 1)
      say("held")
      hear()
      """, [path + "-lock"])
    #expect(other.line() == "held")
    let isOpen = Shared(false)
    inParallel(2) { number in
      if number == 0 {
        if let store = try? StoreRegistry.open(path) { StoreRegistry.close(store) }
        isOpen.change { $0 = true }
      } else {
        usleep(50_000)
        for _ in 0..<3 { _ = refusal(folder.file("free.db")) }
        #expect(!isOpen.value)
        other.tell("go on")
      }
    }
    #expect(isOpen.value)
  }

  @Test("Threads that open and close one file at once always have one that works")
  func churn() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    let failures = Shared<[String]>([])
    inParallel(8) { number in
      for round in 0..<25 {
        do {
          let store = try StoreRegistry.open(path)
          try store.ensureOrganization("\(number)-\(round)")
          StoreRegistry.close(store)
        } catch {
          failures.change { $0.append("\(error)") }
        }
      }
    }
    #expect(failures.value == [])
    let store = try StoreRegistry.open(path)
    #expect(try store.number("SELECT count(*) FROM organizations") == 201)
    #expect(try store.number("SELECT count(*) FROM owners") == 1)
    StoreRegistry.close(store)
    #expect(descriptors(below: folder.path) == 0)
  }
}
