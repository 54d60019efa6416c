import Testing

@testable import MusterStore

@Suite("Keys of journal records")
struct JournalKeyTests {
  @Test("Keys order records by task and number, and say both")
  func order() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      var tasks: [TaskRow] = []
      for name in ["a", "b", "c"] { tasks.append(try store.run(start(name, in: organization))) }
      #expect(
        try store.number("SELECT count(*) FROM journal j, tasks t WHERE t.key = j.task AND j.sequence BETWEEN 1 AND 2")
          == 6)
      // Neither end of a task's records reaches into those of its neighbours.
      for task in tasks {
        #expect(try store.messages(of: task, fromTurn: 1).map { $0.sequence } == [1, 2])
        #expect(try store.recordsOfTurn(task).map { $0.sequence } == [1, 2])
      }
      #expect(try store.deleteTask("b", in: organization, durable: false) == ["b"])
      #expect(try store.number("SELECT count(*) FROM journal") == 4)
    }
  }

  @Test("A record beyond the room of its task is refused, and no other takes its place")
  func room() throws {
    #expect(try JournalKey.of(1, of: 1) < JournalKey.last(of: 1))
    #expect(try JournalKey.last(of: 1) < JournalKey.of(0, of: 2))
    let most = try JournalKey.last(of: 0)
    for (sequence, task) in [(most + 1, 1), (-1, 1), (1, -1), (1, Int64.max)] {
      #expect(throws: StoreError.self) { try JournalKey.of(sequence, of: task) }
    }
  }
}
