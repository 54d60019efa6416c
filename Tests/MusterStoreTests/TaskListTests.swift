import Foundation
import MusterSystem
import Testing

@testable import MusterStore

@Suite("Lists of tasks")
struct TaskListTests {
  private func ids(_ store: Store, _ filter: TaskFilter = TaskFilter()) throws -> [String] {
    let page = try store.tasks(PageRequest(page: 1, perPage: 100), matching: filter, in: store.firstOrganizationID)
    #expect(page.total == Int64(page.rows.count))
    return page.rows.map { $0.task.id }
  }

  @Test(
    "Whatever begins and ends in whatever order, the list shows the last changed first", arguments: [1 as UInt64, 2, 3])
  func order(seed: UInt64) throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      var state = seed
      var order: [String] = []
      var running: [String: TaskRow] = [:]
      for step in 0..<300 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let id = "t\(state >> 33 % 7)"
        if let task = running[id] {
          running[id] = nil
          _ = try store.endTurn(of: task, with: entry(), end(), durable: false)
        } else {
          let known = order.contains(id) ? try store.found(id) : nil
          running[id] = try store.begin(start(id, in: organization, after: known))
        }
        // An agent takes a place of the same order.
        if step % 11 == 0 { try store.insertAgent(agent("a\(step)", in: organization), durable: false) }
        order.removeAll { $0 == id }
        order.insert(id, at: 0)
        let page = try store.tasks(PageRequest(page: 1, perPage: 20), matching: TaskFilter(), in: organization)
        #expect(page.rows.map { $0.task.id } == order)
      }
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("The task that changed last comes first: by beginning, ending, being stopped, and a further turn")
  func order() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let one = try store.begin(start("one", in: organization))
      let two = try store.begin(start("two", in: organization))
      _ = try store.begin(start("three", in: organization))
      #expect(try ids(store) == ["three", "two", "one"])
      // A step in between is not seen in lists.
      let step = try #require(try store.append(entry(), to: one, durable: false))
      #expect(try ids(store) == ["three", "two", "one"])
      let ended = try #require(try store.endTurn(of: step, with: entry(), end(), durable: false)?.task)
      #expect(try ids(store) == ["one", "three", "two"])
      _ = try store.seize(two, with: entry(), end: end(.stopped), durable: false)
      #expect(try ids(store) == ["two", "one", "three"])
      _ = try store.begin(start("one", in: organization, after: ended))
      #expect(try ids(store) == ["one", "two", "three"])
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("Order comes from the store, not from a clock that steps back")
  func clock() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      _ = try store.run(start("one", in: organization, entry: entry(at: 1000)), time: 1000)
      _ = try store.run(start("two", in: organization, entry: entry(at: 10)), time: 10)
      #expect(try ids(store) == ["two", "one"])
    }
  }

  @Test("A row has its result once there is one")
  func result() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let first = try store.run(start("one", in: organization))
      _ = try store.begin(start("two", in: organization))
      var rows = try store.tasks(PageRequest(page: 1, perPage: 9), matching: TaskFilter(), in: organization).rows
      #expect(rows.map { $0.result?.sequence } == [nil, 2])
      #expect(rows.last?.task.resultSequence == 2)
      _ = try store.begin(start("one", in: organization, after: first))
      rows = try store.tasks(PageRequest(page: 1, perPage: 9), matching: TaskFilter(), in: organization).rows
      #expect(rows.map { $0.result?.sequence } == [nil, nil])
    }
  }

  /// Tasks that differ in everything that can be asked for.
  private func fill(_ store: Store) throws -> [TaskRow] {
    let organization = store.firstOrganizationID
    let statuses: [TaskStatus] = [.completed, .failed, .error, .stopped]
    for number in 0..<64 {
      let isRunning = number % 5 == 4
      let beginning = start(
        "t\(number)", in: organization, of: "a\(number & 1)", user: number & 2 == 0 ? nil : "u\(number % 3)",
        parent: number & 4 == 0 ? nil : "p\(number % 2)", triggeringAgent: number & 8 == 0 ? nil : "x\(number % 2)",
        entry: entry(at: Int64(number)))
      if isRunning {
        _ = try store.begin(beginning)
      } else {
        _ = try store.run(
          beginning, end: end(statuses[number % 4], internalStatus: number & 16 == 0 ? nil : "s\(number % 2)"))
      }
      _ = try store.begin(start("t\(number)", in: "other", of: "a\(number & 1)"))
    }
    return try store.read { (database) throws(StoreError) in
      try database.statement(
        "SELECT \(TaskRow.columns) FROM tasks t WHERE organization_id = ? ORDER BY position DESC"
      ).bind(1, organization).all { TaskRow($0) }
    }
  }

  @Test("Every filter, and all of them combined, gives what looking at each task gives")
  func filters() throws {
    try withStore { store, _ throws in
      let all = try fill(store)
      #expect(all.count == 64)
      var isSeen: Set<Int> = []
      for combination in 0..<256 {
        var filter = TaskFilter()
        if combination & 1 != 0 { filter.agentID = "a1" }
        if combination & 2 != 0 { filter.userID = "u1" }
        if combination & 4 != 0 { filter.parentID = "p1" }
        if combination & 8 != 0 { filter.triggeringAgentID = "x1" }
        if combination & 16 != 0 { filter.status = .stopped }
        if combination & 32 != 0 { filter.internalStatus = "s1" }
        if combination & 64 != 0 { filter.from = Timestamp(microseconds: 13) }
        if combination & 128 != 0 { filter.to = Timestamp(microseconds: 61) }
        let wanted = all.filter { task in
          (filter.agentID == nil || task.agentID == filter.agentID)
            && (filter.userID == nil || task.userID == filter.userID)
            && (filter.parentID == nil || task.parentID == filter.parentID)
            && (filter.triggeringAgentID == nil || task.triggeringAgentID == filter.triggeringAgentID)
            && (filter.status == nil || task.status == filter.status)
            && (filter.internalStatus == nil || task.internalStatus == filter.internalStatus)
            && (filter.from.map { $0 <= task.createdAt } ?? true) && (filter.to.map { task.createdAt <= $0 } ?? true)
        }
        #expect(try ids(store, filter) == wanted.map { $0.id })
        isSeen.insert(wanted.count)
      }
      // The tasks differ enough to tell the filters apart, and one passes them all.
      #expect(isSeen.count > 10 && !isSeen.contains(0))
    }
  }

  @Test(
    "The bounds of time are part of the span", arguments: [(5, 5, 1), (5, 6, 2), (6, 5, 0), (0, 63, 64), (64, 99, 0)])
  func bounds(from: Int64, to: Int64, count: Int) throws {
    try withStore { store, _ throws in
      _ = try fill(store)
      var filter = TaskFilter()
      filter.from = Timestamp(microseconds: from)
      filter.to = Timestamp(microseconds: to)
      #expect(try ids(store, filter).count == count)
    }
  }

  @Test("A filter's text is a value, never SQL")
  func injection() throws {
    try withStore { store, _ throws in
      _ = try fill(store)
      for text in ["' OR 1=1 --", "a1' --", "%", "a_"] {
        var filter = TaskFilter()
        filter.agentID = text
        #expect(try ids(store, filter).isEmpty)
      }
    }
  }

  @Test("The words and numbers of the states are fixed")
  func statuses() {
    let fixed: [(Int64, String, Bool)] = [
      (1, "pending", false), (2, "executing", false), (3, "paused", false), (4, "error", true), (5, "failed", true),
      (6, "completed", true), (7, "stopped", true),
    ]
    #expect(TaskStatus.allCases.count == fixed.count)
    for (number, word, isFinal) in fixed {
      #expect(TaskStatus(rawValue: number)?.word == word)
      #expect(TaskStatus(word: word)?.rawValue == number)
      #expect(TaskStatus(word: word)?.isFinal == isFinal)
    }
    #expect(TaskStatus(word: "Completed") == nil)
  }
}
