import MusterSystem
import Testing

@testable import MusterStore

@Suite("Pruning tasks")
struct PruneTests {
  private let time = Timestamp(microseconds: 100)

  private func prune(_ store: Store, ofAgent agent: String? = nil, batches: Int = 1_000) throws -> [String] {
    var removed: [String] = []
    var position: Int64 = 0
    for _ in 0..<batches {
      let batch = try store.prunableTasks(
        before: time, ofAgent: agent, in: store.firstOrganizationID, after: position)
      guard let next = batch.next else { break }
      position = next
      removed += try store.pruneTasks(batch.ids, before: time, in: store.firstOrganizationID, durable: false)
    }
    return removed.sorted()
  }

  @Test("tasks that ended before the time go, those that ended later or still run stay")
  func age() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      _ = try store.run(start("old", in: organization), time: 99)
      _ = try store.run(start("at the time", in: organization), time: 100)
      _ = try store.run(start("young", in: organization), time: 101)
      _ = try store.begin(start("running", in: organization))
      _ = try store.run(start("foreign", in: "elsewhere"), time: 1)
      #expect(try prune(store) == ["old"])
      #expect(try store.number("SELECT count(*) FROM tasks") == 4)
      #expect(try store.number("SELECT count(*) FROM journal WHERE task NOT IN (SELECT key FROM tasks)") == 0)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("a task goes with its sub-tasks at every level, or not at all while one of them runs or is young")
  func trees() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for (id, parent) in [("a", nil), ("aa", "a"), ("aaa", "aa"), ("b", nil), ("c", nil), ("orphan", "gone")] {
        _ = try store.run(start(id, in: organization, parent: parent), time: 10)
      }
      _ = try store.run(start("ba", in: organization, parent: "b"), time: 101)
      _ = try store.begin(start("ca", in: organization, parent: "c"))
      _ = try store.begin(start("d", in: organization))
      _ = try store.run(start("da", in: organization, parent: "d"), time: 10)
      #expect(try prune(store) == ["a", "aa", "aaa", "orphan"])
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("a step is of bounded size, and the steps together take all")
  func steps() throws {
    try withStore { store, _ throws in
      for number in 0..<450 { _ = try store.run(start("\(number)", in: store.firstOrganizationID), time: 10) }
      let batch = try store.prunableTasks(before: time, ofAgent: nil, in: store.firstOrganizationID, after: 0)
      #expect(batch.ids.count == 200)
      #expect(try prune(store).count == 450)
      #expect(try store.number("SELECT count(*) FROM journal") == 0)
    }
  }

  @Test("only the tasks of the agent that is named")
  func agent() throws {
    try withStore { store, _ throws in
      for agent in ["a1", "a2"] { _ = try store.run(start(agent, in: store.firstOrganizationID, of: agent), time: 10) }
      #expect(try prune(store, ofAgent: "a2") == ["a2"])
    }
  }

  @Test("a task that goes on between look and removal stays")
  func race() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let task = try store.run(start("t", in: organization), time: 10)
      let batch = try store.prunableTasks(before: time, ofAgent: nil, in: organization, after: 0)
      #expect(batch.ids == ["t"])
      _ = try store.begin(start("t", in: organization, after: task))
      #expect(try store.pruneTasks(batch.ids, before: time, in: organization, durable: false) == [])
      #expect(try store.found("t").status == .executing)
    }
  }
}
