import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Waiting for other processes")
struct TurnstileTests {
  /// A process that holds bytes of the lock file until it is told to go on.
  private func holder(of bytes: String, _ path: String) throws -> OtherProcess {
    let other = try OtherProcess(
      """
      drops = [lock(sys.argv[1], int(byte)) for byte in sys.argv[2].split()]
      say("held")
      hear()
      for drop in drops: drop()
      say("dropped")
      hear()
      """, [path + "-lock", bytes])
    #expect(other.line() == "held")
    return other
  }

  @Test(
    "Another process in front of us: busy after the time-out, and then it works",
    arguments: ["1", "0", "0 1"])
  func busy(bytes: String) throws {
    try withStore(timeout: 200) { store, folder throws in
      try store.makeScratchTable()
      let other = try holder(of: bytes, folder.file("agents.db"))
      for _ in 0..<2 {
        let begin = Date()
        #expect(throws: StoreError.busy) { try store.insertScratch(1) }
        let spent = Date().timeIntervalSince(begin)
        #expect(spent >= 0.19 && spent < 5)
      }
      // Reading goes on.
      #expect(try store.scratch() == [])
      other.tell("go on")
      #expect(other.line() == "dropped")
      // The waiter that was left behind must not keep the turn for itself.
      for value in 0..<5 { try store.insertScratch(Int64(value)) }
      #expect(try store.scratch() == Array(0..<5))
    }
  }

  @Test("A turn that nobody waits for any more is given back at once")
  func abandoned() throws {
    try withStore(timeout: 50) { store, folder throws in
      try store.makeScratchTable()
      let other = try holder(of: "1", folder.file("agents.db"))
      #expect(throws: StoreError.busy) { try store.insertScratch(1) }
      other.tell("go on")
      #expect(other.line() == "dropped")
      let next = try python(
        """
        for number in range(200):
          try:
            descriptor = os.open(sys.argv[1], os.O_RDWR)
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1)
            say("free")
            break
          except OSError:
            time.sleep(0.02)
        else: say("taken")
        """, folder.file("agents.db-lock"))
      #expect(next == "free")
    }
  }

  @Test("Who comes while a waiter was left behind takes its place over")
  func adopted() throws {
    try withStore(timeout: 100) { store, folder throws in
      try store.makeScratchTable()
      let other = try holder(of: "1", folder.file("agents.db"))
      #expect(throws: StoreError.busy) { try store.insertScratch(1) }
      store.raiseBusyTimeout(to: 20_000)
      inParallel(2) { number in
        if number == 0 {
          #expect(throws: Never.self) { try store.insertScratch(2) }
        } else {
          usleep(100_000)
          other.tell("go on")
        }
      }
      #expect(try store.scratch() == [2])
    }
  }

  @Test("Each of many who wait behind a busy file gives up after its own time-out")
  func allGiveUp() throws {
    try withStore(timeout: 1000) { store, folder throws in
      try store.makeScratchTable()
      let other = try holder(of: "1", folder.file("agents.db"))
      let waits = Shared<[Double]>([])
      inParallel(20) { number in
        usleep(UInt32(number) * 40_000)
        let begin = Date()
        do throws(StoreError) {
          try store.insertScratch(Int64(number))
        } catch {
          if error == .busy { waits.change { $0.append(Date().timeIntervalSince(begin)) } }
        }
      }
      #expect(waits.value.count == 20)
      #expect(waits.value.allSatisfy { $0 >= 0.99 && $0 < 1.6 })
      other.kill()
      try store.insertScratch(1)
    }
  }

  @Test("A time-out of zero waits for nobody")
  func noWait() throws {
    let folder = TemporaryFolder()
    let store = try StoreRegistry.open(folder.file("agents.db"), timeout: 0)
    defer { StoreRegistry.close(store) }
    try store.makeScratchTable()
    let other = try holder(of: "1", folder.file("agents.db"))
    let begin = Date()
    #expect(throws: StoreError.busy) { try store.insertScratch(1) }
    #expect(Date().timeIntervalSince(begin) < 2)
    other.kill()
    #expect(eventually { (try? store.insertScratch(1)) != nil })
  }

  @Test("A killed process holds nobody up")
  func killed() throws {
    try withStore { store, folder throws in
      try store.makeScratchTable()
      let other = try holder(of: "0 1", folder.file("agents.db"))
      inParallel(2) { number in
        if number == 0 {
          #expect(throws: Never.self) { try store.insertScratch(1, owed: true) }
        } else {
          usleep(50_000)
          other.kill()
        }
      }
      #expect(try store.scratch() == [1])
    }
  }

  @Test("A program that writes without queueing is waited for within the same time-out")
  func withoutQueueing() throws {
    try withStore(timeout: 200) { store, folder throws in
      try store.makeScratchTable()
      let other = try OtherProcess(
        """
        database = sqlite3.connect(sys.argv[1], isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        say("writing")
        hear()
        database.execute("COMMIT")
        say("committed")
        hear()
        """, [folder.file("agents.db")])
      #expect(other.line() == "writing")
      let begin = Date()
      #expect(throws: StoreError.busy) { try store.insertScratch(1) }
      let spent = Date().timeIntervalSince(begin)
      #expect(spent >= 0.15 && spent < 5)
      other.tell("go on")
      #expect(other.line() == "committed")
      try store.insertScratch(2)
      #expect(try store.scratch() == [2])
    }
  }

  @Test("Closing does not wait long for a busy file, and the next opening works")
  func closing() throws {
    let folder = TemporaryFolder()
    let path = folder.file("agents.db")
    let store = try StoreRegistry.open(path, timeout: 60_000)
    let other = try holder(of: "1", path)
    let begin = Date()
    StoreRegistry.close(store)
    #expect(Date().timeIntervalSince(begin) < 5)
    other.kill()
    let again = try StoreRegistry.open(path)
    // The number of the first stays until somebody looks for the dead.
    #expect(try again.number("SELECT count(*) FROM owners") == 2)
    try again.forgetDeadOwners()
    #expect(try again.number("SELECT count(*) FROM owners") == 1)
    StoreRegistry.close(again)
  }

  @Test("Two processes that wait for each other at two stores are not taken for a dead-lock")
  func crossed() throws {
    let folder = TemporaryFolder()
    let one = try StoreRegistry.open(folder.file("one.db"))
    let two = try StoreRegistry.open(folder.file("two.db"))
    defer {
      StoreRegistry.close(one)
      StoreRegistry.close(two)
    }
    try one.makeScratchTable()
    try two.makeScratchTable()
    // The other process holds the turn at `one` and, in another thread, waits for the turn at `two`.
    let other = try OtherProcess(
      """
      drop = lock(sys.argv[1], 1)
      say("held")
      hear()
      def wait():
        lock(sys.argv[2], 1)()
        say("had its turn")
      threading.Thread(target=wait).start()
      time.sleep(0.1)
      say("waiting")
      hear()
      drop()
      """, [folder.file("one.db-lock"), folder.file("two.db-lock")])
    #expect(other.line() == "held")
    let errors = Shared<[StoreError]>([])
    inParallel(2) { number in
      do throws(StoreError) {
        if number == 0 {
          try two.write(owed: false) { (database) throws(StoreError) in
            other.tell("wait")
            _ = other.line()
            usleep(200_000)
            other.tell("drop")
            // Long enough for the thread at `one` to meet the circle.
            usleep(100_000)
            try database.execute("INSERT INTO scratch (value) VALUES (1)")
          }
        } else {
          usleep(150_000)
          try one.insertScratch(1)
        }
      } catch {
        errors.change { $0.append(error) }
      }
    }
    #expect(errors.value == [])
    #expect(try one.scratch() == [1])
    #expect(try two.scratch() == [1])
  }
}
