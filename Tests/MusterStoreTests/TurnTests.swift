import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Turns and their journal")
struct TurnTests {
  private func isChanged(_ beginning: TurnBeginning) -> Bool { if case .changed = beginning { true } else { false } }

  @Test("The first turn makes the task, runs in our name, and writes record 1")
  func first() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let task = try store.begin(
        start(
          "t1", in: organization, title: "Title", user: "u", parent: "p", triggeringAgent: "x", carriesSystem: true,
          entry: entry("{\"n\":1}", kind: 4, role: .user, at: 5)))
      #expect(task.organizationID == organization && task.id == "t1" && task.agentID == "a1")
      #expect(task.status == .executing && task.internalStatus == nil && !task.isManuallyStopped)
      #expect(task.createdAt.microseconds == 5 && task.startedAt?.microseconds == 5 && task.finishedAt == nil)
      #expect(task.turn == 1 && task.sequence == 1 && task.firstSequence == 1 && task.resultSequence == nil)
      #expect(task.systemSequence == 1 && task.owner == store.owner)
      #expect(task.title == "Title" && task.userID == "u" && task.parentID == "p" && task.triggeringAgentID == "x")
      #expect(task.promptTokens == nil && task.completionTokens == nil)
      let record = try #require(try store.record(1, of: task))
      #expect(
        record.turn == 1 && record.sequence == 1 && record.kind == 4 && record.format == 1 && record.role == .user)
      #expect(
        record.time.microseconds == 5 && record.body == Array("{\"n\":1}".utf8) && record.commands == Array("[]".utf8))
      #expect(try store.record(2, of: task) == nil)
    }
  }

  @Test("Records are numbered from 1 without gaps, and the end holds the result")
  func sequence() throws {
    try withStore { store, _ throws in
      var task = try store.begin(start("t1", in: store.firstOrganizationID))
      for number in Int64(2)...6 {
        task = try #require(try store.append(entry("{\"n\":\(number)}"), to: task, durable: false))
        #expect(task.sequence == number && task.status == .executing && task.resultSequence == nil)
      }
      task = try #require(
        try store.endTurn(
          of: task, with: entry(role: .assistant, at: 99),
          end(.failed, internalStatus: "schema", isManuallyStopped: true, tokens: 12), durable: true)?.task)
      #expect(task.sequence == 7 && task.resultSequence == 7 && task.owner == nil)
      #expect(task.status == .failed && task.internalStatus == "schema" && task.isManuallyStopped)
      #expect(task.finishedAt?.microseconds == 99 && task.updatedAt.microseconds == 99)
      #expect(task.promptTokens == 12 && task.completionTokens == 12)
      #expect(try store.recordsOfTurn(task).map { $0.sequence } == Array(1...7))
    }
  }

  @Test("The sequences of tasks that run at once are each without gaps")
  func concurrent() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let failures = Shared(0)
      inParallel(16) { thread in
        do {
          for turn in 0..<3 {
            var known: TaskRow?
            if case .found(let row) = try store.task("t\(thread)", in: organization) { known = row }
            var task = try store.begin(start("t\(thread)", in: organization, after: known))
            for step in 0..<5 {
              let durable = turn == 1
              let next =
                step == 4
                ? try store.endTurn(of: task, with: entry(), end(), durable: durable)?.task
                : try store.append(entry(), to: task, durable: durable)
              guard let next else { throw Unexpected() }
              task = next
            }
          }
        } catch {
          failures.change { $0 += 1 }
        }
      }
      #expect(failures.value == 0)
      #expect(try store.number("SELECT count(*) FROM journal") == 16 * 18)
      #expect(
        try store.number(
          "SELECT count(*) FROM (SELECT 1 FROM journal GROUP BY task HAVING min(sequence) = 1 AND max(sequence) = 18)"
        )
          == 16)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("A second turn begins anew and keeps what belongs to the task")
  func second() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let old = try store.run(
        start("t1", in: organization, title: "One", user: "u1", parent: "p", carriesSystem: true, entry: entry(at: 5)),
        end: end(.stopped, internalStatus: "timeout", isManuallyStopped: true, tokens: 3))
      let task = try store.begin(
        start("t1", in: organization, after: old, title: "Two", user: "u2", entry: entry(role: .user, at: 50)))
      #expect(task.key == old.key && task.createdAt.microseconds == 5)
      #expect(task.status == .executing && task.internalStatus == nil && !task.isManuallyStopped)
      #expect(task.startedAt?.microseconds == 50 && task.updatedAt.microseconds == 50 && task.finishedAt == nil)
      #expect(task.turn == 2 && task.sequence == 3 && task.firstSequence == 3 && task.resultSequence == nil)
      #expect(task.systemSequence == 1)
      #expect(task.fence > old.fence && task.owner == store.owner)
      #expect(task.title == "Two" && task.userID == "u2" && task.parentID == "p")
      #expect(task.promptTokens == nil && task.completionTokens == nil)
      #expect(try store.recordsOfTurn(task).map { $0.sequence } == [3])
      let ended = try #require(try store.endTurn(of: task, with: entry(), end(), durable: false)?.task)
      let third = try store.begin(start("t1", in: organization, after: ended, carriesSystem: true))
      #expect(third.systemSequence == 5 && third.turn == 3)
    }
  }

  @Test("A turn does not begin while one runs, or upon an old reading")
  func changed() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let task = try store.begin(start("t1", in: organization))
      #expect(isChanged(try store.beginTurn(start("t1", in: organization), durable: false)))
      #expect(isChanged(try store.beginTurn(start("t1", in: organization, after: task), durable: false)))
      let ended = try #require(try store.endTurn(of: task, with: entry(), end(), durable: false)?.task)
      #expect(isChanged(try store.beginTurn(start("t1", in: organization, after: task), durable: false)))
      #expect(isChanged(try store.beginTurn(start("t1", in: organization), durable: false)))
      // As a task that has been there, and is gone.
      #expect(isChanged(try store.beginTurn(start("t2", in: organization, after: ended), durable: false)))
      // And as one that has been made again by another agent.
      try store.ensureAgent("a2", in: organization)
      #expect(isChanged(try store.beginTurn(start("t1", in: organization, of: "a2", after: ended), durable: false)))
      #expect(try store.number("SELECT count(*) FROM journal") == 2)
      #expect(try store.found("t1").turn == 1)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("A turn of an agent that is gone does not begin, and leaves no task")
  func agentGone() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.ensureAgent("a1", in: organization)
      #expect(try store.deleteAgent("a1", in: organization, durable: false))
      guard case .agentGone = try store.beginTurn(start("t1", in: organization), durable: false) else {
        Issue.record("the turn began")
        return
      }
      #expect(try store.number("SELECT count(*) FROM tasks") == 0)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("Of threads that begin the same turn at once, one does")
  func race() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.ensureAgent("a1", in: organization)
      let begun = Shared(0)
      inParallel(16) { _ in
        if case .begun? = try? store.beginTurn(start("t1", in: organization), durable: false) {
          begun.change { $0 += 1 }
        }
      }
      #expect(begun.value == 1)
      #expect(try store.number("SELECT count(*) FROM journal") == 1)
    }
  }

  @Test("After a task was taken from its run, the run writes nothing any more")
  func fence() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let task = try store.begin(start("t1", in: organization))
      let stopped = try #require(
        try store.seize(
          task, with: entry("{\"stop\":1}"), end: end(.stopped, isManuallyStopped: true), durable: true))
      #expect(stopped.status == .stopped && stopped.isManuallyStopped && stopped.owner == nil)
      #expect(stopped.sequence == 2 && stopped.resultSequence == 2)
      #expect(try store.append(entry(), to: task, durable: false) == nil)
      #expect(try store.endTurn(of: task, with: entry(), end(), durable: false)?.task == nil)
      // The row that it would hold after taking it over does not help, either.
      #expect(try store.append(entry(), to: stopped, durable: false) == nil)
      let next = try store.begin(start("t1", in: organization, after: stopped))
      #expect(try store.endTurn(of: task, with: entry(), end(), durable: false)?.task == nil)
      #expect(try store.number("SELECT count(*) FROM journal") == 3)
      #expect(try store.found("t1").sequence == next.sequence)
    }
  }

  @Test("A task is not taken upon an old reading, nor when it has ended")
  func seizing() throws {
    try withStore { store, _ throws in
      let old = try store.begin(start("t1", in: store.firstOrganizationID))
      let task = try #require(try store.append(entry(), to: old, durable: false))
      #expect(try store.seize(old, with: entry(), end: end(.stopped), durable: false) == nil)
      let ended = try #require(try store.endTurn(of: task, with: entry(), end(), durable: false)?.task)
      #expect(try store.seize(task, with: entry(), end: end(.stopped), durable: false) == nil)
      #expect(try store.seize(ended, with: entry(), end: end(.stopped), durable: false) == nil)
      #expect(try store.found("t1").status == .completed)
      #expect(try store.number("SELECT count(*) FROM journal") == 3)
    }
  }

  @Test("A run does not write to a task that was deleted and made again")
  func madeAgain() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let old = try store.begin(start("t1", in: organization))
      #expect(try store.deleteTask("t1", in: organization, durable: false) == ["t1"])
      #expect(try store.append(entry(), to: old, durable: false) == nil)
      _ = try store.begin(start("other", in: organization))
      _ = try store.begin(start("t1", in: organization))
      #expect(try store.endTurn(of: old, with: entry(), end(), durable: false)?.task == nil)
      #expect(try store.seize(old, with: entry(), end: end(), durable: false) == nil)
      #expect(try store.found("t1").sequence == 1)
    }
  }

  @Test("Messages are the records with a role, from a turn on, in order")
  func messages() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      var known: TaskRow?
      for turn in 1...3 {
        let task = try store.begin(
          start("t1", in: organization, after: known, entry: entry("{\"ask\":\(turn)}", role: .user)))
        let step = try #require(try store.append(entry("{\"step\":1}"), to: task, durable: false))
        known = try store.endTurn(
          of: step, with: entry("{\"say\":\(turn)}", role: .assistant), end(), durable: false)?.task
      }
      let task = try #require(known)
      let all = try store.messages(of: task, fromTurn: 1)
      #expect(all.map { $0.sequence } == [1, 3, 4, 6, 7, 9])
      #expect(all.map { $0.turn } == [1, 1, 2, 2, 3, 3])
      #expect(all.map { $0.role } == [.user, .assistant, .user, .assistant, .user, .assistant])
      #expect(all.last?.body == Array("{\"say\":3}".utf8))
      #expect(try store.messages(of: task, fromTurn: 3).map { $0.sequence } == [7, 9])
      #expect(try store.messages(of: task, fromTurn: 4).isEmpty)
      #expect(try store.recordsOfTurn(task).map { $0.sequence } == [7, 8, 9])
    }
  }

  @Test("The records of a turn are those that its row knows, also when the next turn has begun since that was read")
  func recordsOfItsOwn() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let before = try store.run(start("t1", in: organization))
      #expect(try store.recordsOfTurn(before).map { $0.sequence } == [1, 2])
      _ = try store.begin(start("t1", in: organization, after: before))
      #expect(try store.recordsOfTurn(before).map { $0.sequence } == [1, 2])
    }
  }

  @Test("A task comes with the first record of its latest turn and its result, of one moment")
  func withRecords() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let running = try store.begin(start("t1", in: organization, entry: entry("{\"ask\":1}")))
      guard case .found(let during) = try store.taskWithRecords("t1", in: organization) else { throw Unexpected() }
      #expect(during.first?.body == Array("{\"ask\":1}".utf8))
      #expect(during.result == nil)
      _ = try store.endTurn(of: running, with: entry("{\"say\":1}"), end(), durable: false)
      guard case .found(let after) = try store.taskWithRecords("t1", in: organization) else { throw Unexpected() }
      #expect(after.task.status == .completed)
      #expect(after.result?.body == Array("{\"say\":1}".utf8))
      guard case .missing = try store.taskWithRecords("none", in: organization) else { throw Unexpected() }
      guard case .foreign = try store.taskWithRecords("t1", in: "other") else { throw Unexpected() }
    }
  }

  @Test("Two organizations may have tasks of the same id, and neither touches the other's")
  func organizations() throws {
    try withStore { store, _ throws in
      let first = store.firstOrganizationID
      let mine = try store.run(start("same", in: first, entry: entry("{\"mine\":1}")))
      let theirs = try store.begin(start("same", in: "other", entry: entry("{\"theirs\":1}")))
      #expect(mine.key != theirs.key)
      #expect(try store.recordsOfTurn(theirs).map { $0.body } == [Array("{\"theirs\":1}".utf8)])
      #expect(try store.tasks(PageRequest(page: 1, perPage: 9), matching: TaskFilter(), in: "other").total == 1)
      #expect(try store.deleteTask("same", in: first, durable: true) == ["same"])
      guard case .foreign = try store.task("same", in: first) else { throw Unexpected() }
      #expect(try store.found("same", in: "other").status == .executing)
      #expect(try store.endTurn(of: theirs, with: entry(), end(), durable: true)?.task.sequence == 2)
      #expect(try store.wrongCounts() == 0)
    }
  }
}
