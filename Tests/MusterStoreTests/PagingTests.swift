import Foundation
import Testing

@testable import MusterStore

@Suite("Pages")
struct PagingTests {
  private func ids(_ page: Page<[UInt8]>) -> [String] {
    page.rows.map { String(decoding: $0.dropFirst(7).dropLast(2), as: UTF8.self) }
  }

  @Test("The newest agent comes first, and an update does not move it")
  func order() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for id in ["a", "b", "c"] { try store.insertAgent(agent(id, in: organization), durable: false) }
      guard case .found(let row) = try store.agent("a", in: organization) else { throw Unexpected() }
      #expect(try store.updateAgent(row, durable: false))
      let page = try store.agents(PageRequest(page: 1, perPage: 10), in: organization)
      #expect(ids(page) == ["c", "b", "a"])
      #expect(page.total == 3)
    }
  }

  /// A thousand agents of one organization among those of another, with gaps of every kind.
  private func fill(_ store: Store) throws {
    let organization = store.firstOrganizationID
    try store.ensureOrganization("other")
    try store.write(owed: false) { (database) throws(StoreError) in
      for number in 0..<1500 {
        let owner = number % 3 == 2 ? "other" : organization
        let position = try Store.nextPosition(database)
        try database.statement("INSERT INTO agents VALUES (?, ?, ?, 1, 1, 0, 0, 1, ?, NULL)")
          .bind(1, position).bind(2, owner).bind(3, "\(number)").bind(4, Array(#"{"id":"\#(number)"}"#.utf8)).run()
        try ListCount.agents.add(1, at: position, in: owner, database)
      }
    }
  }

  private func expectLikeOffset(_ store: Store, _ size: Int64) throws {
    for organization in [store.firstOrganizationID, "other", "nobody"] {
      let all = try store.read { (database) throws(StoreError) in
        try database.statement("SELECT document FROM agents WHERE organization_id = ? ORDER BY position DESC")
          .bind(1, organization).all { $0.bytes(0) }
      }
      let pages = Int64(all.count) / size + 2
      var walked: [[UInt8]] = []
      for page in 1...pages {
        let found = try store.agents(PageRequest(page: page, perPage: size), in: organization)
        guard found.total == Int64(all.count), found.rows.count <= size else {
          Issue.record("page \(page) of \(size): total \(found.total), \(found.rows.count) rows")
          return
        }
        walked += found.rows
      }
      #expect(walked == all)
    }
  }

  @Test("Pages of every size give what OFFSET gives, also after deletions", arguments: [Int64(1), 7, 50])
  func likeOffset(size: Int64) throws {
    try withStore { store, _ throws in
      try fill(store)
      let organization = store.firstOrganizationID
      try expectLikeOffset(store, size)
      // Single rows, a whole block of 256 positions, and the newest and the oldest.
      for number in 0..<1500 where number % 3 != 2 {
        let isDoomed = number % 11 == 0 || (300..<900).contains(number) || number < 4 || number > 1490
        if isDoomed { #expect(try store.deleteAgent("\(number)", in: organization, durable: false)) }
      }
      #expect(try store.wrongCounts() == 0)
      try expectLikeOffset(store, size)
      for number in 0..<30 { try store.insertAgent(agent("new\(number)", in: organization), durable: false) }
      #expect(try store.wrongCounts() == 0)
      try expectLikeOffset(store, size)
    }
  }

  @Test("When the last row is deleted, the list and its counts are empty")
  func emptied() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<3 { try store.insertAgent(agent("\(number)", in: organization), durable: false) }
      for number in 0..<3 { #expect(try store.deleteAgent("\(number)", in: organization, durable: false)) }
      let page = try store.agents(PageRequest(page: 1, perPage: 10), in: organization)
      #expect(page.rows.isEmpty && page.total == 0)
      #expect(try store.number("SELECT count(*) FROM counts WHERE block >= 0") == 0)
    }
  }

  @Test(
    "A page that cannot be is empty or the first, never a trap",
    arguments: [
      (Int64.max, Int64.max, 0), (.max, 1, 0), (2, .max, 0), (1, .max, 3), (0, 10, 3), (.min, 10, 3), (1, 0, 0),
      (1, -5, 0), (3, 2, 0),
    ])
  func extremes(page: Int64, perPage: Int64, rows: Int) throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<3 {
        try store.ensureAgent("a\(number + 1)", in: organization)
        _ = try store.run(start("t\(number)", in: organization))
      }
      let request = PageRequest(page: page, perPage: perPage)
      let agents = try store.agents(request, in: organization)
      #expect(agents.rows.count == rows && agents.total == 3)
      let tasks = try store.tasks(request, matching: TaskFilter(), in: organization)
      #expect(tasks.rows.count == rows && tasks.total == 3)
      var filter = TaskFilter()
      filter.agentID = "a1"
      let filtered = try store.tasks(request, matching: filter, in: organization)
      #expect(filtered.rows.count == rows && filtered.total == 3)
    }
  }

  @Test("Pages of tasks give what OFFSET gives, while turns move tasks to the top", arguments: [Int64(1), 7, 50])
  func tasks(size: Int64) throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<300 {
        let first = try store.run(start("t\(number)", in: organization, of: number % 2 == 0 ? "a1" : "a2"))
        if number % 5 == 0 { _ = try store.run(start("t\(number)", in: organization, of: first.agentID, after: first)) }
        if number % 7 == 0 {
          #expect(try store.deleteTask("t\(number / 2)", in: organization, durable: false).count == 1)
        }
      }
      #expect(try store.wrongCounts() == 0)
      for agentID in [nil, "a1"] {
        var filter = TaskFilter()
        filter.agentID = agentID
        let all = try store.read { (database) throws(StoreError) in
          try database.statement(
            "SELECT id FROM tasks WHERE organization_id = ? AND agent_id = coalesce(?, agent_id) ORDER BY position DESC"
          ).bind(1, organization).bind(2, agentID).all { $0.text(0) }
        }
        var walked: [String] = []
        for page in 1...(Int64(all.count) / size + 2) {
          let found = try store.tasks(PageRequest(page: page, perPage: size), matching: filter, in: organization)
          #expect(found.total == Int64(all.count))
          walked += found.rows.map { $0.task.id }
        }
        #expect(walked == all)
      }
    }
  }
}
