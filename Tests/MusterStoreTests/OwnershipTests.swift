import Foundation
import MusterSystem
import Testing

@testable import MusterStore

@Suite("Owners of tasks")
struct OwnershipTests {
  /// A process that has taken a number and holds its byte, as long as it lives; with a task of its own.
  private func owner(_ number: Int, of task: String, _ path: String) throws -> OtherProcess {
    let other = try OtherProcess(
      """
      path, number, task = sys.argv[1], int(sys.argv[2]), sys.argv[3]
      drop = lock(path + "-lock", 1024 + number)
      database = sqlite3.connect(path, isolation_level=None)
      database.execute("INSERT INTO owners VALUES (?, ?, 0, 0)", (number, os.getpid()))
      if task: database.execute("UPDATE tasks SET owner = ? WHERE id = ?", (number, task))
      database.close()
      say("owns")
      hear()
      """, [path, "\(number)", task])
    #expect(other.line() == "owns")
    return other
  }

  @Test("Our own number is in the store, and its byte is locked before anybody can see it")
  func claim() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    StoreRegistry.close(try StoreRegistry.open(path))
    // Looks all the time for a number that can be seen and whose byte is free.
    let watcher = try OtherProcess(
      """
      database = sqlite3.connect(sys.argv[1], isolation_level=None)
      database.execute("SELECT 1 FROM owners").fetchall()
      descriptor = os.open(sys.argv[1] + "-lock", os.O_RDWR)
      def free(number):
        try:
          fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1024 + number)
          fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, 1024 + number)
          return True
        except OSError: return False
      say("looking")
      wrong = seen = 0
      numbers = set()
      end = time.time() + 1
      while time.time() < end:
        for (number,) in database.execute("SELECT id FROM owners").fetchall():
          numbers.add(number)
          # Free, and still in the table: not one that is just saying good-bye.
          if free(number) and database.execute("SELECT 1 FROM owners WHERE id = ?", (number,)).fetchone(): wrong += 1
      say(f"{wrong} {len(numbers) > 0}")
      """, [path])
    #expect(watcher.line() == "looking")
    let end = Date().addingTimeInterval(1)
    while Date() < end { StoreRegistry.close(try StoreRegistry.open(path)) }
    #expect(watcher.line() == "0 True")
  }

  @Test("A living process is alive, a dead one is not, and we are")
  func alive() throws {
    try withStore { store, folder throws in
      #expect(store.isAlive(store.owner))
      #expect(!store.isAlive(4711))
      let other = try owner(4711, of: "", folder.file("agents.db"))
      #expect(store.isAlive(4711))
      #expect(!store.isAlive(4712))
      other.kill()
      #expect(!store.isAlive(4711))
    }
  }

  @Test("The tasks of a dead process are found, those of a living one never, nor our own")
  func abandoned() throws {
    try withStore { store, folder throws in
      let organization = store.firstOrganizationID
      _ = try store.begin(start("ours", in: organization))
      _ = try store.begin(start("theirs", in: organization))
      _ = try store.run(start("ended", in: organization))
      let other = try owner(4711, of: "theirs", folder.file("agents.db"))
      #expect(try store.abandonedTasks().map { $0.id } == [])
      other.kill()
      let abandoned = try store.abandonedTasks()
      #expect(abandoned.map { $0.id } == ["theirs"])
      let task = try #require(abandoned.first)
      #expect(task.owner == 4711)
      // Ended once: the second who tries finds it changed.
      #expect(try store.seize(task, with: entry(kind: 9), end: end(.error), durable: true)?.status == .error)
      #expect(try store.seize(task, with: entry(kind: 9), end: end(.error), durable: true) == nil)
      #expect(try store.abandonedTasks().isEmpty)
      #expect(try store.found("ours").status == .executing)
    }
  }

  @Test("The tasks of a store that was closed are found when it is opened again")
  func reopened() throws {
    let folder = TemporaryFolder()
    var store = try StoreRegistry.open(folder.file("agents.db"))
    _ = try store.begin(start("t", in: store.firstOrganizationID))
    StoreRegistry.close(store)
    store = try StoreRegistry.open(folder.file("agents.db"))
    #expect(try store.abandonedTasks().map { $0.id } == ["t"])
    StoreRegistry.close(store)
  }

  @Test("A run is found after a crash, however many have come and gone after it, without reading all of them")
  func longRun() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.ensureOrganization("other")
      for number in 0..<1500 { _ = try store.run(start("before \(number)", in: organization)) }
      let long = try store.begin(start("long", in: "other"))
      for number in 0..<3000 { _ = try store.run(start("after \(number)", in: organization)) }
      let running = try store.begin(start("last", in: organization))
      let mark = try store.number("SELECT since FROM owners")
      // Before the first that runs, behind those that had ended before it.
      #expect(mark < long.position && mark > long.position - 1200)
      try expectFoundAfterDeath([long.id, running.id], store)
      _ = try store.endTurn(of: long, with: entry(), end(), durable: false)
      for number in 0..<8000 { _ = try store.run(start("then \(number)", in: organization)) }
      #expect(try store.number("SELECT since FROM owners") == running.position - 1)
      try expectFoundAfterDeath([running.id], store)
    }
  }

  /// What would be found if this process were dead: its row and its tasks under a number that nobody holds.
  private func expectFoundAfterDeath(_ ids: [String], _ store: Store) throws {
    let own = store.owner
    func rename(_ old: Int64, _ new: Int64) throws {
      try store.write(owed: false) { (database) throws(StoreError) in
        try database.execute("UPDATE owners SET id = \(new) WHERE id = \(old)")
        try database.execute("UPDATE tasks SET owner = \(new) WHERE owner = \(old)")
      }
    }
    try rename(own, 4711)
    #expect(try store.abandonedTasks().map { $0.id } == ids)
    try rename(4711, own)
  }

  @Test("The numbers of the dead that own nothing are forgotten; others stay")
  func forgetting() throws {
    try withStore { store, folder throws in
      let path = folder.file("agents.db")
      _ = try store.begin(start("theirs", in: store.firstOrganizationID))
      let withTask = try owner(101, of: "theirs", path)
      let living = try owner(102, of: "", path)
      let dead = try owner(103, of: "", path)
      withTask.kill()
      dead.kill()
      try store.forgetDeadOwners()
      let left = try store.read { (database) throws(StoreError) in
        try database.statement("SELECT id FROM owners ORDER BY id").all { $0.integer(0) }
      }
      #expect(left == [store.owner, 101, 102])
      living.kill()
    }
  }

  @Test("A store in which others have left nothing says so, once; one with their numbers or unfinished tasks does not")
  func tidiness() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    /// Opens the store for `body`, and closes it.
    func opened(_ isTidy: Bool, _ body: (Store) throws -> Void = { _ in }) throws {
      let store = try StoreRegistry.open(path)
      defer { StoreRegistry.close(store) }
      #expect(store.takeTidiness() == isTidy)
      #expect(!store.takeTidiness())
      try body(store)
    }
    try opened(true)
    try opened(true) { _ = try $0.begin(start("t", in: $0.firstOrganizationID)) }
    try opened(false) { store in
      let task = try #require(try store.abandonedTasks().first)
      _ = try store.seize(task, with: entry(kind: 9), end: end(.error), durable: true)
      try store.forgetDeadOwners()
    }
    var other: OtherProcess?
    try opened(true) { _ in other = try owner(4711, of: "", path) }
    try opened(false)
    other?.kill()
    try opened(false) { try $0.forgetDeadOwners() }
    try opened(true)
  }

  @Test("A number is never given twice")
  func numbers() throws {
    let folder = TemporaryFolder()
    var seen: [Int64] = []
    for _ in 0..<5 {
      let store = try StoreRegistry.open(folder.file("agents.db"))
      seen.append(store.owner)
      StoreRegistry.close(store)
    }
    #expect(seen == seen.sorted())
    #expect(Set(seen).count == 5)
  }
}
