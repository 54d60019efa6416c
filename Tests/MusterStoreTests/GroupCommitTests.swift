import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Group commit")
struct GroupCommitTests {
  @Test("64 threads insert 50 agents each: all are there and counted", .timeLimit(.minutes(1)))
  func load() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      let failures = Shared(0)
      inParallel(64) { thread in
        for number in 0..<50 {
          do {
            try store.insertAgent(agent("\(thread)-\(number)", in: organization), durable: number % 2 == 0)
          } catch {
            failures.change { $0 += 1 }
          }
        }
      }
      #expect(failures.value == 0)
      #expect(try store.agents(PageRequest(page: 1, perPage: 1), in: organization).total == 3200)
      #expect(try store.number("SELECT count(DISTINCT id) FROM agents") == 3200)
      #expect(try store.number("SELECT count(DISTINCT position) FROM agents") == 3200)
      #expect(try store.wrongCounts() == 0)
    }
  }

  /// Runs jobs that all ride in one batch: the leader's waits until the others stand behind it.
  private func ride(
    _ store: Store, _ count: Int, _ job: @escaping @Sendable (Int) throws(StoreError) -> Void
  ) -> [StoreError?] {
    let errors = Shared<[StoreError?]>(Array(repeating: nil, count: count))
    let isLeading = Shared(false)
    inParallel(count + 1) { number in
      if number == count {
        // Holds the connection until the others have queued; they are the next batch.
        try? store.write(owed: false) { _ throws(StoreError) in
          isLeading.change { $0 = true }
          usleep(150_000)
        }
        return
      }
      while !isLeading.value { usleep(500) }
      do throws(StoreError) { try job(number) } catch { errors.change { $0[number] = error } }
    }
    return errors.value
  }

  @Test("Jobs that wait for the connection share one transaction")
  func sharing() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      let before = try store.changeNumber()
      let errors = ride(store, 30) { number throws(StoreError) in try store.insertScratch(Int64(number)) }
      #expect(errors == Array(repeating: nil, count: 30))
      #expect(try store.scratch() == (0..<30).map { $0 })
      // One change for the leader's commit, which wrote nothing, and one for the batch.
      #expect(try store.changeNumber() - before <= 2)
    }
  }

  @Test("A job that fails undoes what it did, and only that")
  func failing() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      let errors = ride(store, 20) { number throws(StoreError) in
        try store.write(owed: false) { (database) throws(StoreError) in
          try database.statement("INSERT INTO scratch (value) VALUES (?)").bind(1, Int64(number)).run()
          if number % 3 == 0 {
            try database.statement("INSERT INTO scratch (value) VALUES (?)").bind(1, Int64(number + 100)).run()
            throw .failed("on purpose \(number)")
          }
        }
      }
      for number in 0..<20 { #expect(errors[number] == (number % 3 == 0 ? .failed("on purpose \(number)") : nil)) }
      #expect(try store.scratch() == (0..<20).filter { $0 % 3 != 0 }.map { Int64($0) })
    }
  }

  @Test("A job that fails is not counted, and its place in the order is free again")
  func failingCount() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      try store.insertAgent(agent("first", in: organization), durable: false)
      let errors = ride(store, 20) { number throws(StoreError) in
        let row = agent("\(number)", in: organization)
        try store.write(owed: false) { (database) throws(StoreError) in
          let position = try Store.nextPosition(database)
          try database.statement("INSERT INTO agents VALUES (?, ?, ?, 1, 1, 0, 0, 1, ?, NULL)")
            .bind(1, position).bind(2, organization).bind(3, row.id).bind(4, row.document).run()
          try ListCount.agents.add(1, at: position, in: organization, database)
          if number % 3 == 0 { throw .failed("on purpose") }
        }
      }
      #expect(errors.filter { $0 == nil }.count == 13)
      #expect(try store.number("SELECT count(*) FROM agents") == 14)
      #expect(try store.agents(PageRequest(page: 1, perPage: 1), in: organization).total == 14)
      #expect(try store.number("SELECT max(position) FROM agents") == 14)
      try store.insertAgent(agent("last", in: organization), durable: false)
      #expect(try store.number("SELECT max(position) FROM agents") == 15)
      #expect(try store.wrongCounts() == 0)
    }
  }

  @Test("Rows that come and go in one batch are counted as they are in the end")
  func comingAndGoing() throws {
    try withStore { store, _ throws in
      let organization = store.firstOrganizationID
      for number in 0..<10 { try store.insertAgent(agent("old \(number)", in: organization), durable: false) }
      let errors = ride(store, 20) { number throws(StoreError) in
        if number % 2 == 0 {
          _ = try store.deleteAgent("old \(number / 2)", in: organization, durable: false)
        } else {
          try store.insertAgent(agent("new \(number)", in: organization), durable: false)
        }
      }
      #expect(errors == Array(repeating: nil, count: 20))
      #expect(try store.agents(PageRequest(page: 1, perPage: 1), in: organization).total == 10)
      for number in 0..<20 where number % 2 == 1 {
        #expect(try store.deleteAgent("new \(number)", in: organization, durable: false))
      }
      #expect(try store.number("SELECT count(*) FROM agents") == 0)
      #expect(try store.wrongCounts() == 0)
      // An empty block leaves no row behind.
      #expect(try store.number("SELECT count(*) FROM counts WHERE list = 1 AND block >= 0") == 0)
    }
  }

  @Test("A statement that SQLite refuses undoes its own job only")
  func constraint() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      try store.insertScratch(7)
      let errors = ride(store, 10) { number throws(StoreError) in try store.insertScratch(Int64(number)) }
      for number in 0..<10 {
        if number == 7 { #expect(errors[7] != nil) } else { #expect(errors[number] == nil) }
      }
      #expect(try store.scratch() == Array(0..<10))
    }
  }

  @Test("A job that fills the disk loses itself only, alone or among others", arguments: [true, false])
  func full(alone: Bool) throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      let runs = Shared(0)
      try store.write(owed: false) { (database) throws(StoreError) in
        let pages = try database.integer("PRAGMA page_count")
        try database.execute("PRAGMA max_page_count=\(pages + 60)")
      }
      let greedy = 20
      let job: @Sendable (Int) throws(StoreError) -> Void = { number throws(StoreError) in
        if number == greedy { return try store.insertScratch(1000, bytes: 2_000_000, owed: true) }
        try store.write(owed: true) { (database) throws(StoreError) in
          runs.change { $0 += 1 }
          try database.statement("INSERT INTO scratch VALUES (?, zeroblob(10))").bind(1, Int64(number)).run()
        }
      }
      if alone {
        #expect(throws: StoreError.full) { try job(greedy) }
        for number in 0..<greedy { try job(number) }
      } else {
        let errors = ride(store, 21, job)
        for (number, error) in errors.enumerated() { #expect(error == (number == greedy ? .full : nil)) }
      }
      #expect(try store.scratch() == Array(0..<20))
      #expect(runs.value >= 20)
      // The connection is in order again.
      try store.insertScratch(77, owed: true)
      #expect(try store.scratch().count == 21)
    }
  }

  @Test("A batch whose transaction SQLite has ended is run again job by job, and each job is there once")
  func lostTransaction() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      let runs = Shared(0)
      let errors = ride(store, 9) { number throws(StoreError) in
        // Behind others, whose work it undoes.
        if number == 4 { usleep(75_000) }
        try store.write(owed: true) { (database) throws(StoreError) in
          runs.change { $0 += 1 }
          try database.statement("INSERT INTO scratch (value) VALUES (?)").bind(1, Int64(number)).run()
          if number == 4 {
            // What a full disk does to the whole transaction.
            try database.execute("ROLLBACK")
            throw .full
          }
        }
      }
      for number in 0..<9 { #expect(errors[number] == (number == 4 ? .full : nil)) }
      #expect(try store.scratch() == [0, 1, 2, 3, 5, 6, 7, 8])
      #expect(runs.value > 9)
    }
  }

  @Test(
    "What is owed is committed with a full sync, what is not without", arguments: [(true, Int64(2)), (false, Int64(1))])
  func synchronous(owed: Bool, level: Int64) throws {
    try withStore { store, _ throws in
      for _ in 0..<2 {
        for isOwed in [!owed, owed] {
          let found = try store.write(owed: isOwed) { (database) throws(StoreError) in
            try database.integer("PRAGMA synchronous")
          }
          if isOwed == owed { #expect(found == level) }
        }
      }
    }
  }

  @Test("One owed job makes its whole batch be synced")
  func mixed() throws {
    try withStore { store, _ throws in
      let levels = Shared<[Int64]>([])
      let errors = ride(store, 8) { number throws(StoreError) in
        let level = try store.write(owed: number == 5) { (database) throws(StoreError) in
          try database.integer("PRAGMA synchronous")
        }
        levels.change { $0.append(level) }
      }
      #expect(errors.allSatisfy { $0 == nil })
      #expect(levels.value == Array(repeating: 2, count: 8))
    }
  }

  @Test("A value that cannot be bound fails the job instead of being stored as NULL")
  func binding() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      #expect(throws: StoreError.self) {
        try store.write(owed: false) { (database) throws(StoreError) in
          try database.statement("INSERT INTO scratch (value) VALUES (?)").bind(1, Int64(1)).bind(2, "no such place")
            .run()
        }
      }
      #expect(try store.scratch() == [])
      try store.insertScratch(1)
    }
  }

  @Test("Readers see committed states only, and no reader waits for a writer")
  func isolation() throws {
    try withStore { store, _ throws in
      try store.makeScratchTable()
      let isWriting = Shared(false)
      let seen = Shared<[Int64]?>(nil)
      inParallel(2) { number in
        if number == 0 {
          try? store.write(owed: false) { (database) throws(StoreError) in
            try database.execute("INSERT INTO scratch (value) VALUES (1)")
            isWriting.change { $0 = true }
            for _ in 0..<2000 where seen.value == nil { usleep(5000) }
          }
        } else {
          while !isWriting.value { usleep(500) }
          seen.change { $0 = try? store.scratch() }
        }
      }
      #expect(seen.value == [])
      #expect(try store.scratch() == [1])
    }
  }

  @Test("More readers than connections all get their answer, and a failed read harms none after it")
  func readers() throws {
    try withStore { store, folder throws in
      try store.makeScratchTable()
      try store.insertScratch(1)
      let answers = Shared(0)
      inParallel(40) { _ in
        for _ in 0..<10 {
          #expect(throws: StoreError.failed("on purpose")) {
            try store.read { (database) throws(StoreError) -> Int64 in
              _ = try database.integer("SELECT count(*) FROM scratch")
              throw .failed("on purpose")
            }
          }
          if (try? store.scratch()) == [1] { answers.change { $0 += 1 } }
        }
      }
      #expect(answers.value == 400)
      // At most eight connections for reading and one for writing; each file counts once for each.
      #expect(descriptors(below: folder.file("agents.db-wal")) <= 9)
    }
  }

  @Test("The change number changes when this process writes, and when another one does; not when nobody does")
  func changeNumber() throws {
    try withStore { store, folder throws in
      try store.makeScratchTable()
      let first = try store.changeNumber()
      #expect(try store.changeNumber() == first)
      try store.insertScratch(1)
      let second = try store.changeNumber()
      #expect(second != first)
      _ = try python(
        "sqlite3.connect(sys.argv[1], isolation_level=None).execute('DELETE FROM scratch')", folder.file("agents.db"))
      #expect(try store.changeNumber() != second)
    }
  }
}
