import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterStore

@Suite("Counting the requests of keys")
struct RateTests {
  /// A window that does not end while a test runs.
  private static let year: Int64 = 86_400 * 365

  private static func admitted(_ store: Store, _ limit: Int64, key: String = "k") -> Bool {
    (try? store.admit(key, [RateWindow(seconds: year, limit: limit)]).isAdmitted) ?? false
  }

  @Test("Of many requests at the same time exactly as many are admitted as the limit says")
  func threads() throws {
    try withStore { store, _ throws in
      let counts = Shared<[Int64]>([])
      inParallel(64) { _ in
        for _ in 0..<5 {
          guard let count = try? store.admit("k", [RateWindow(seconds: RateTests.year, limit: 100)]) else { continue }
          if count.isAdmitted { counts.change { $0 += count.counts } }
        }
      }
      #expect(counts.value.sorted() == Array(1...100))
      #expect(!RateTests.admitted(store, 100))
      #expect(RateTests.admitted(store, 100, key: "other"))
    }
  }

  @Test("Two processes count together")
  func processes() async {
    await #expect(processExitsWith: .success) {
      let folder = TemporaryFolder()
      let path = folder.file("agents.db")
      let parent = try StoreRegistry.open(path)
      let child = ForkTests.fork()
      if child == 0 {
        alarm(60)
        guard let own = try? StoreRegistry.open(path) else { _exit(1) }
        try? Data().write(to: URL(fileURLWithPath: folder.file("ready")))
        let count = (0..<400).count { _ in RateTests.admitted(own, 300) }
        StoreRegistry.close(own)
        try? Data("\(count)".utf8).write(to: URL(fileURLWithPath: folder.file("count")))
        _exit(0)
      }
      guard eventually({ contents(folder.file("ready")) != nil }) else { folder.exit(2) }
      let mine = Shared(0)
      inParallel(8) { _ in
        for _ in 0..<50 where RateTests.admitted(parent, 300) { mine.change { $0 += 1 } }
      }
      var status: Int32 = 0
      waitpid(child, &status, 0)
      let theirs = contents(folder.file("count")).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
      StoreRegistry.close(parent)
      folder.exit(status == 0 && mine.value > 0 && theirs > 0 && mine.value + theirs == 300 ? 0 : 1)
    }
  }

  @Test("The counts are kept when the store is closed")
  func kept() throws {
    let folder = TemporaryFolder()
    for round in 0..<3 {
      let store = try StoreRegistry.open(folder.file("agents.db"))
      defer { StoreRegistry.close(store) }
      let count = try store.admit("k", [RateWindow(seconds: RateTests.year, limit: 2)])
      #expect(count.isAdmitted == (round < 2))
      #expect(count.counts == [min(Int64(round + 1), 2)])
    }
  }

  @Test("Each window begins anew with the clock, and a refused request counts in none of them")
  func windows() throws {
    try withStore { store, _ throws in
      let windows = [RateWindow(seconds: 60, limit: 2), RateWindow(seconds: 3600, limit: 5)]
      func admit(_ seconds: Int64) throws -> [Int64]? {
        let count = try store.admit("k", windows) { Timestamp(microseconds: seconds * 1_000_000) }
        return count.isAdmitted ? count.counts : nil
      }
      let hour: Int64 = 3600 * 1000
      #expect(try admit(hour) == [1, 1])
      #expect(try admit(hour + 59) == [2, 2])
      for second in 0..<10 { #expect(try admit(hour + 50 + Int64(second)) == nil) }
      #expect(try admit(hour + 60) == [1, 3])
      #expect(try admit(hour + 60) == [2, 4])
      #expect(try admit(hour + 119) == nil)
      #expect(try admit(hour + 120) == [1, 5])
      // The minute has room, the hour has not.
      #expect(try admit(hour + 121) == nil)
      #expect(try admit(hour + 3599) == nil)
      #expect(try admit(hour + 3600) == [1, 1])
    }
  }

  @Test("A clock that is set back a little does not give the requests back")
  func clock() throws {
    try withStore { store, _ throws in
      func admit(_ seconds: Int64) throws -> Bool {
        try store.admit("k", [RateWindow(seconds: 60, limit: 1)]) { Timestamp(microseconds: seconds * 1_000_000) }
          .isAdmitted
      }
      #expect(try admit(6000))
      #expect(try !admit(5999))
      #expect(try !admit(6001))
      #expect(try admit(6060))
      // A clock that was a day ahead does not lock the key out for a day.
      #expect(try admit(6000 + 86_400))
      #expect(try admit(6200))
    }
  }
}
