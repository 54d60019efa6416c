import MusterJSON
import Testing

@testable import MusterEngine

@Suite("How long a run waits before it asks again")
struct BackoffTests {
  private func wait(attempt: Int64, after: Int64? = nil, jitter: Int64 = 0) -> Int64 {
    let failed = ModelFailed(
      kind: .http, httpStatus: 500, message: "m", isTransient: true, retryAfterMilliseconds: after, jitter: jitter)
    return Backoff.milliseconds(after: failed, attempt: attempt)
  }

  @Test(
    "half a second, doubled with each attempt up to eight seconds; the jitter spreads the upper half",
    arguments: [(Int64(1), Int64(500)), (2, 1000), (3, 2000), (4, 4000), (5, 8000), (6, 8000), (100, 8000)])
  func bounds(attempt: Int64, longest: Int64) {
    #expect(wait(attempt: attempt, jitter: 0) == longest / 2)
    #expect(wait(attempt: attempt, jitter: 500) == longest * 3 / 4)
    #expect(wait(attempt: attempt, jitter: 999) < longest)
    #expect(wait(attempt: attempt, jitter: 999) > longest * 9 / 10)
  }

  @Test("numbers out of range are taken as the nearest that are in it", arguments: [Int64.min, -1, 0, 1, .max])
  func outOfRange(number: Int64) {
    #expect((250...8000).contains(wait(attempt: number)))
    #expect((250..<500).contains(wait(attempt: 1, jitter: number)))
    #expect((0...30_000).contains(wait(attempt: 1, after: number)))
  }

  @Test(
    "a server that names a time gets it, up to thirty seconds and without jitter",
    arguments: [(Int64(0), Int64(0)), (1, 1), (2500, 2500), (30_000, 30_000), (30_001, 30_000), (-5, 0)])
  func asked(asked: Int64, expected: Int64) {
    #expect(wait(attempt: 1, after: asked, jitter: 999) == expected)
    #expect(wait(attempt: 7, after: asked) == expected)
  }
}
