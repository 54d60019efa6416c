import Foundation
import MusterSystem
import Testing

@testable import MusterStore

@Suite("Deleting tasks")
struct TaskDeletionTests {
  @Test("A task goes with its sub-tasks at every level, and with nothing else")
  func tree() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for (id, parent) in [
        ("root", nil), ("a", "root"), ("b", "root"), ("aa", "a"), ("ab", "a"), ("aaa", "aa"), ("other", nil),
        ("oa", "other"),
      ] { _ = try store.run(start(id, in: organization, of: id == "b" ? "a2" : "a1", parent: parent)) }
      // A sub-task by name only: it is of another organization.
      _ = try store.run(start("foreign", in: "elsewhere", parent: "root"))
      #expect(try store.subtasks(of: "root", in: organization).map { $0.id } == ["a", "b"])
      #expect(try store.subtasks(of: "aaa", in: organization).isEmpty)
      let removed = try store.deleteTask("root", in: organization, durable: true)
      #expect(removed.sorted() == ["a", "aa", "aaa", "ab", "b", "root"])
      #expect(try store.number("SELECT count(*) FROM tasks") == 3)
      #expect(try store.number("SELECT count(*) FROM journal") == 6)
      #expect(try store.number("SELECT count(*) FROM journal WHERE task NOT IN (SELECT key FROM tasks)") == 0)
      #expect(try store.wrongCounts() == 0)
      #expect(try store.deleteTask("root", in: organization, durable: true) == [])
    }
  }

  @Test("Deleting a sub-task leaves its parent and its sisters")
  func branch() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for (id, parent) in [("root", nil), ("a", "root"), ("aa", "a"), ("b", "root")] {
        _ = try store.run(start(id, in: organization, parent: parent))
      }
      #expect(try store.deleteTask("a", in: organization, durable: true).sorted() == ["a", "aa"])
      #expect(try store.subtasks(of: "root", in: organization).map { $0.id } == ["b"])
    }
  }

  @Test("Tasks that name each other as parents are deleted once each")
  func circle() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for (id, parent) in [("a", "c"), ("b", "a"), ("c", "b"), ("self", "self")] {
        _ = try store.run(start(id, in: organization, parent: parent))
      }
      #expect(try store.deleteTask("self", in: organization, durable: true) == ["self"])
      #expect(try store.deleteTask("a", in: organization, durable: true).sorted() == ["a", "b", "c"])
      #expect(try store.number("SELECT count(*) FROM tasks") == 0)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("A long chain of sub-tasks is deleted without a deep stack")
  func chain() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<2000 {
        _ = try store.begin(start("\(number)", in: organization, parent: number == 0 ? nil : "\(number - 1)"))
      }
      #expect(try store.deleteTask("0", in: organization, durable: false).count == 2000)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("An id can be used again after its task was deleted, and nothing of the old one is left")
  func again() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      _ = try store.run(start("t", in: organization, parent: "p", carriesSystem: true))
      #expect(try store.deleteTask("t", in: organization, durable: true) == ["t"])
      let task = try store.begin(start("t", in: organization))
      #expect(task.turn == 1 && task.sequence == 1 && task.systemSequence == nil && task.parentID == nil)
      #expect(try store.recordsOfTurn(task).count == 1)
    }
  }
}
