import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("API keys in the store")
struct KeyTests {
  private static func key(_ id: String, in organization: String, agents: [String]? = nil) -> KeyRow {
    KeyRow(
      id: id, organizationID: organization, name: "n", salt: "s", hash: "h", agents: agents, isReadOnly: false,
      canManageKeys: false, createdAt: Timestamp(microseconds: 1), expiresAt: nil)
  }

  private func ids(_ store: Store, in organization: String) throws -> [String] {
    try store.keys(PageRequest(page: 1, perPage: 50), in: organization).rows.map { $0.id }
  }

  @Test("Of those who make the first key at the same time one does, also from two processes")
  func first() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      let parent = try StoreRegistry.open(path)
      let organization = parent.firstOrganizationID
      let child = ForkTests.fork()
      if child == 0 {
        alarm(60)
        guard let own = try? StoreRegistry.open(path) else { _exit(9) }
        let isMine = (try? own.insertFirstKey(KeyTests.key("child", in: organization), durable: true)) ?? false
        StoreRegistry.close(own)
        _exit(isMine ? 1 : 0)
      }
      let mine = Shared(0)
      inParallel(8) { number in
        let isMine = try? parent.insertFirstKey(KeyTests.key("\(number)", in: organization), durable: true)
        if isMine == true { mine.change { $0 += 1 } }
      }
      var status: Int32 = 0
      waitpid(child, &status, 0)
      let keys = try parent.number("SELECT count(*) FROM keys")
      StoreRegistry.close(parent)
      folder.exit(mine.value + Int(status >> 8) == 1 && keys == 1 ? 0 : 1)
    }
  }

  @Test("A revoked key is shown nowhere, and its organization is not given a first key again")
  func revoked() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      #expect(try store.insertFirstKey(KeyTests.key("a", in: organization), durable: false))
      try store.insertKey(KeyTests.key("b", in: organization, agents: ["x", "y\"\u{e9}"]), durable: false)
      try store.insertKey(KeyTests.key("c", in: "other"), durable: false)
      #expect(try ids(store, in: organization) == ["b", "a"])
      #expect(try store.key("b")?.agents == ["x", "y\"\u{e9}"])
      _ = try store.admit("a", [RateWindow(seconds: 60, limit: 5)])
      guard case .found = try store.revokeKey("a", in: organization, durable: false) else { throw Unexpected() }
      guard case .missing = try store.revokeKey("a", in: organization, durable: false) else { throw Unexpected() }
      guard case .foreign = try store.revokeKey("c", in: organization, durable: false) else { throw Unexpected() }
      guard case .missing = try store.key("a", in: organization) else { throw Unexpected() }
      guard case .missing = try store.updateKey("a", in: organization, KeyChange(), durable: false) else {
        throw Unexpected()
      }
      #expect(try store.key("a")?.revokedAt != nil)
      #expect(try ids(store, in: organization) == ["b"])
      #expect(try store.number("SELECT count(*) FROM rates") == 0)
      #expect(try !store.insertFirstKey(KeyTests.key("d", in: organization), durable: false))
      #expect(try store.number("SELECT count(*) FROM organizations") == 2)
    }
  }

  @Test("Lists that are narrowed to some agents have totals and pages of their own")
  func narrowed() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<30 {
        try store.insertAgent(agent("a\(number)", in: organization), durable: false)
        _ = try store.run(start("t\(number)", in: organization, of: "a\(number)"))
      }
      let some = (0..<30).filter { $0 % 3 == 0 }.map { "a\($0)" } + ["gone"]
      var walked: [String] = []
      for page in 1...4 {
        let request = PageRequest(page: Int64(page), perPage: 4)
        let found = try store.agents(request, in: organization, only: some)
        #expect(found.total == 10)
        walked += found.rows.map { String(decoding: $0.dropFirst(7).dropLast(2), as: UTF8.self) }
        var filter = TaskFilter()
        filter.agents = some
        let tasks = try store.tasks(request, matching: filter, in: organization)
        #expect(tasks.total == 10)
        #expect(tasks.rows.map { $0.task.agentID } == Array(walked.suffix(tasks.rows.count)))
      }
      #expect(walked == some.dropLast().reversed())
      #expect(try store.agents(PageRequest(page: 1, perPage: 5), in: organization, only: []).total == 0)
      #expect(try store.agents(PageRequest(page: 1, perPage: 5), in: "other", only: some).total == 0)
    }
  }

  @Test("A task is not removed by those who may not remove one of its sub-tasks")
  func subtasks() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      _ = try store.run(start("root", in: organization, of: "a1"))
      _ = try store.run(start("below", in: organization, of: "a1", parent: "root"))
      _ = try store.run(start("deep", in: organization, of: "a2", parent: "below"))
      #expect(try store.deleteTask("root", in: organization, onlyOf: ["a1"], durable: false) == nil)
      #expect(try store.number("SELECT count(*) FROM tasks") == 3)
      #expect(try store.deleteTask("root", in: organization, onlyOf: ["a1", "a2"], durable: false)?.count == 3)
      #expect(try store.wrongCounts() == 0)
    }
  }
}
