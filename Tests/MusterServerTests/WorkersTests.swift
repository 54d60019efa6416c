import Foundation
import MusterSystem
import Testing

@testable import MusterServer

@Suite("Workers of a server")
struct WorkersTests {
  /// What a job is to the pool: any number.
  private static func job(_ number: Int) throws -> OpaquePointer { try #require(OpaquePointer(bitPattern: number)) }

  @Test("Whoever has seen a job end finds room for another: as many callers as threads are never refused")
  func roomAfterEnd() throws {
    let most = 4
    let done = DispatchSemaphore(value: 0)
    // The thread dawdles behind its job, as one does that the kernel has taken the processor from.
    let pool = Workers(
      most: most, work: { _ in },
      finish: { _ in
        done.signal()
        usleep(2_000)
      })
    defer { pool.stop() }
    var refused = 0
    for index in 1...most where !pool.submit(try WorkersTests.job(index)) { refused += 1 }
    for index in 1...100 {
      done.wait()
      if !pool.submit(try WorkersTests.job(index)) { refused += 1 }
    }
    for _ in 1...most { done.wait() }
    #expect(refused == 0)
  }

  @Test("More jobs than threads are refused, and every job that was taken is done once")
  func bound() throws {
    let lock = Lock()
    nonisolated(unsafe) var ran = 0
    let open = DispatchSemaphore(value: 0)
    let pool = Workers(
      most: 3, work: { _ in open.wait() }, finish: { _ in lock.withLock { ran += 1 } })
    var taken = 0
    for index in 1...10 where pool.submit(try WorkersTests.job(index)) { taken += 1 }
    #expect(taken == 3)
    #expect(pool.busy == 3)
    for _ in 1...taken { open.signal() }
    pool.stop()
    #expect(ran == 3)
  }

  @Test("Threads that were idle for a while go, and keep no memory once others come")
  func comingAndGoing() throws {
    let done = DispatchSemaphore(value: 0)
    let pool = Workers(most: 8, patienceMilliseconds: 1, work: { _ in }, finish: { _ in done.signal() })
    defer { pool.stop() }
    for index in 1...50 {
      #expect(pool.submit(try WorkersTests.job(index)))
      done.wait()
      usleep(5_000)
    }
    #expect(pool.kept <= 8)
  }
}
