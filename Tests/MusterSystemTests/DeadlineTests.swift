import MusterSystem
import Testing

@Suite("Deadline")
struct DeadlineTests {
  @Test(
    "A negative time and a time beyond the clock mean never", arguments: [-1, Int64.min, Int64.max, Int64.max / 1000])
  func never(milliseconds: Int64) {
    let deadline = Deadline.after(milliseconds: milliseconds)
    #expect(deadline.nanoseconds == nil)
    #expect(deadline.remainingMilliseconds == nil)
    #expect(!deadline.hasPassed)
  }

  @Test("Zero milliseconds have passed at once")
  func zero() {
    #expect(Deadline.after(milliseconds: 0).hasPassed)
    #expect(Deadline.after(milliseconds: 0).remainingMilliseconds == 0)
  }

  @Test("What is left is rounded up, so that a wait for it does not end early")
  func remaining() throws {
    let left = try #require(Deadline.after(milliseconds: 60_000).remainingMilliseconds)
    #expect(left <= 60_000 && left > 50_000)
    #expect(try #require(Deadline.after(milliseconds: 1).remainingMilliseconds) <= 1)
  }

  @Test("The ends of the clock are no trap")
  func extremes() {
    #expect(Deadline(nanoseconds: .min).hasPassed)
    #expect(Deadline(nanoseconds: -1).remainingMilliseconds == 0)
    #expect(!Deadline(nanoseconds: .max).hasPassed)
  }

  @Test("The earlier of two deadlines is the one that passes first; never is the latest")
  func earlier() {
    let soon = Deadline(nanoseconds: 10)
    let late = Deadline(nanoseconds: 20)
    #expect(soon.earlier(late).nanoseconds == 10)
    #expect(late.earlier(soon).nanoseconds == 10)
    #expect(soon.earlier(.never).nanoseconds == 10)
    #expect(Deadline.never.earlier(late).nanoseconds == 20)
    #expect(Deadline.never.earlier(.never).nanoseconds == nil)
  }
}
