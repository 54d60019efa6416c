import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Opening and closing a store")
struct OpeningTests {
  @Test("A new store and the files beside it are for their owner only")
  func permissions() throws {
    try withStore { store, folder throws in
      try store.makeScratchTable()
      #expect(folder.names == ["agents.db", "agents.db-lock", "agents.db-shm", "agents.db-wal"])
      for name in folder.names { #expect(mode(folder.file(name)) == 0o600) }
    }
  }

  @Test("The file carries the marks and settings that cannot be changed later")
  func settings() throws {
    try withStore { store, _ throws in
      #expect(try store.number("PRAGMA application_id") == 0x4d55_5354)
      #expect(try store.number("PRAGMA user_version") == 1)
      #expect(try store.number("PRAGMA page_size") == 4096)
      #expect(try store.number("PRAGMA auto_vacuum") == 2)
      let mode = try store.read { (database) throws(StoreError) in
        try database.statement("PRAGMA journal_mode").first { $0.text(0) }
      }
      #expect(mode == "wal")
    }
  }

  @Test("The header on disk names mark and version while the store is open")
  func header() throws {
    try withStore { _, folder throws in
      let bytes = [UInt8](try #require(contents(folder.file("agents.db"))))
      #expect(bytes[68..<72] == [0x4d, 0x55, 0x53, 0x54])
      #expect(bytes[60..<64] == [0, 0, 0, 1])
    }
  }

  @Test("What was written and the first organization are there after reopening")
  func reopening() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    var store = try StoreRegistry.open(path)
    let organization = store.firstOrganizationID
    let owner = store.owner
    #expect(organization.count == 36)
    try store.insertAgent(agent("a1", in: organization), durable: true)
    StoreRegistry.close(store)
    store = try StoreRegistry.open(path)
    defer { StoreRegistry.close(store) }
    #expect(store.firstOrganizationID == organization)
    #expect(store.owner > owner)
    #expect(try store.agents(PageRequest(page: 1, perPage: 10), in: organization).total == 1)
    #expect(try store.number("SELECT count(*) FROM organizations") == 1)
  }

  @Test("After opening, no statement is open that would keep an old state of the store")
  func snapshot() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    let store = try StoreRegistry.open(path)
    defer { StoreRegistry.close(store) }
    let written = try python(
      """
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      database.execute("CREATE TABLE scratch (value INTEGER PRIMARY KEY, filling BLOB)")
      say(database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
      """, path)
    // 0: the log was copied to its end; 1: somebody still reads an old state.
    #expect(written == "0")
    try store.insertScratch(1)
    #expect(try store.scratch() == [1])
  }

  @Test("An empty file becomes a store")
  func emptyFile() throws {
    let folder = TemporaryFolder()
    let store = try StoreRegistry.open(try folder.write(Data(), to: "empty"))
    #expect(try store.number("PRAGMA application_id") == Schema.applicationID)
    StoreRegistry.close(store)
  }

  @Test("A process that dies while it makes a store leaves one that can be opened")
  func killedWhileMaking() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    // What is on disk between the first write and the first tables.
    _ = try python(
      """
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      for name, value in ("page_size", 4096), ("auto_vacuum", 2), ("application_id", 0x4d555354), ("journal_mode", "WAL"):
        database.execute(f"PRAGMA {name}={value}")
      os.kill(os.getpid(), 9)
      """, path)
    #expect(refusal(path) == nil)
  }

  @Test("Making a store marks the file before anything else can be seen in it")
  func markedFirst() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    let isDone = Shared(false)
    let unmarked = Shared(0)
    inParallel(2) { number in
      if number == 0 {
        for _ in 0..<40 {
          if let store = try? StoreRegistry.open(path) { StoreRegistry.close(store) }
          for name in folder.names { try? FileManager.default.removeItem(atPath: folder.file(name)) }
        }
        isDone.change { $0 = true }
        return
      }
      while !isDone.value {
        guard let bytes = contents(path), bytes.count >= 100 else { continue }
        if bytes[68..<72] != Data([0x4d, 0x55, 0x53, 0x54]) { unmarked.change { $0 += 1 } }
      }
    }
    #expect(unmarked.value == 0)
  }

  @Test("Several processes may make one store at once")
  func madeAtOnce() throws {
    let folder = TemporaryFolder()
    for round in 0..<10 {
      let path = folder.file("\(round).db")
      let failures = Shared<[String]>([])
      // Threads share one object only once it is there, so this is a race within the process, too.
      inParallel(4) { _ in
        do {
          StoreRegistry.close(try StoreRegistry.open(path))
        } catch {
          failures.change { $0.append("\(error)") }
        }
      }
      #expect(failures.value.isEmpty)
    }
  }

  @Test("Closing a store takes out its number, and its descriptors are closed when that returns")
  func closing() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    let store = try StoreRegistry.open(path)
    let owner = store.owner
    _ = try store.changeNumber()
    _ = try store.number("SELECT 1")
    #expect(descriptors(below: folder.path) > 0)
    StoreRegistry.close(store)
    #expect(descriptors(below: folder.path) == 0)
    #expect(folder.names == ["agents.db", "agents.db-lock"])
    let left = try python(
      """
      database = sqlite3.connect(sys.argv[1])
      say(database.execute("SELECT count(*) FROM owners WHERE id = ?", (sys.argv[2],)).fetchone()[0])
      """, path, "\(owner)")
    #expect(left == "0")
  }

  @Test("A closed store answers closed, and closing it again is harmless")
  func closedTwice() throws {
    for path in [":memory:", nil] {
      let folder = TemporaryFolder()
      let store = try StoreRegistry.open(path ?? folder.file("agents.db"))
      for _ in 0..<3 { StoreRegistry.close(store) }
      #expect(throws: StoreError.closed) { try store.number("SELECT 1") }
      #expect(throws: StoreError.closed) { try store.ensureOrganization("o") }
      if path == nil { #expect(throws: StoreError.closed) { try store.changeNumber() } }
      #expect(throws: StoreError.closed) { try store.write(owed: true) { _ throws(StoreError) in } }
    }
  }

  @Test("A hundred times opened and closed, as many descriptors are open as before")
  func cycles() throws {
    let folder = TemporaryFolder()
    for _ in 0..<100 {
      let store = try StoreRegistry.open(folder.file("agents.db"))
      _ = try store.changeNumber()
      try store.ensureOrganization("o")
      StoreRegistry.close(store)
      #expect(descriptors(below: folder.path) == 0)
    }
  }

  @Test("A refused file leaves no descriptor open")
  func refusedDescriptors() throws {
    let folder = TemporaryFolder()
    let path = try folder.write(Data(repeating: 0x41, count: 9000), to: "text")
    for _ in 0..<10 { #expect(refusal(path) != nil) }
    #expect(descriptors(below: folder.path) == 0)
  }

  @Test("The log hears of a new schema, and no lock is held meanwhile")
  func log() throws {
    let folder = TemporaryFolder()
    let lines = Shared<[String]>([])
    let other = folder.file("other.db")
    let log = Log { _, component, message in
      lines.change { $0.append("\(component): \(message)") }
      if let store = try? StoreRegistry.open(other) { StoreRegistry.close(store) }
    }
    for _ in 0..<2 {
      StoreRegistry.close(try StoreRegistry.open(path: folder.file("a.db"), busyTimeoutMilliseconds: 1000, log: log))
    }
    #expect(lines.value == ["store: schema version 1"])
    #expect(folder.names.contains("other.db"))
  }

  @Test("A store in memory works, is never shared, and leaves no file")
  func memory() throws {
    let one = try StoreRegistry.open(":memory:")
    let two = try StoreRegistry.open(":memory:")
    #expect(one !== two)
    try one.insertAgent(agent("a1", in: one.firstOrganizationID), durable: true)
    #expect(try one.agents(PageRequest(page: 1, perPage: 10), in: one.firstOrganizationID).rows.count == 1)
    #expect(try two.agents(PageRequest(page: 1, perPage: 10), in: one.firstOrganizationID).total == 0)
    StoreRegistry.close(one)
    #expect(try two.number("SELECT 1") == 1)
    StoreRegistry.close(two)
    #expect(!FileManager.default.fileExists(atPath: ":memory:"))
  }
}
