import MusterHTTP
import MusterSystem
import Testing

@testable import MusterModels

@Suite("How long to wait")
struct RetryAfterTests {
  /// 1994-11-06T08:49:30Z
  private let now = Timestamp(microseconds: 784_111_770_000_000)

  @Test(
    "seconds and dates are read, and bounded",
    arguments: [
      ("0", 0), ("3", 3_000), ("1.5", 1_500), ("0.0009", 0), ("60", 60_000), ("61", 60_000),
      ("99999999999999999999999999", 60_000), ("Sun, 06 Nov 1994 08:49:37 GMT", 7_000),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 7_000), ("Sunday, 06-Nov-43 08:49:37 GMT", 60_000),
      ("Sun Nov  6 08:49:37 1994", 7_000),
      ("Sun, 06 Nov 1994 08:49:20 GMT", 0),
      ("Mon, 07 Nov 1994 08:49:37 GMT", 60_000), ("", nil), ("-1", nil), ("soon", nil), ("1s", nil), (".", nil),
      ("1.2.3", nil), ("Sun, 06 Nov 1994", nil), ("Sun, 36 Nov 1994 08:49:37 GMT", nil),
      ("06 Nov 1994 1 08:49:37", nil),
      ("Nov : 6 1994", nil),
    ] as [(String, Int64?)])
  func values(text: String, expected: Int64?) {
    #expect(milliseconds([HTTPHeader("Retry-After", text)]) == expected)
  }

  @Test("milliseconds come before seconds")
  func finer() {
    #expect(milliseconds([HTTPHeader("Retry-After", "9"), HTTPHeader("retry-after-ms", "1234.5")]) == 1_234)
    #expect(milliseconds([HTTPHeader("Retry-After", "9"), HTTPHeader("Retry-After-Ms", "x")]) == 9_000)
    #expect(milliseconds([HTTPHeader("retry-after-ms", "99999999")]) == 60_000)
    #expect(milliseconds([]) == nil)
  }

  private func milliseconds(_ headers: [HTTPHeader]) -> Int64? {
    RetryAfter.milliseconds(of: HTTPResponse("", status: 429, headers: headers), now: now)
  }
}
