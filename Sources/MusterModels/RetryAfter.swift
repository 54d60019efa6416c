import MusterHTTP
import MusterSystem

/// Reads how long a server asks its client to wait.
enum RetryAfter {
  /// Nobody waits longer than this because a server says so.
  static let limit: Int64 = 60_000

  /// From `retry-after-ms`, or `Retry-After` with seconds or a date; nil when there is neither, or it is not readable.
  static func milliseconds(of response: HTTPResponse, now: Timestamp = .now()) -> Int64? {
    if let text = response.header("retry-after-ms"), let number = thousandths(text) { return min(number / 1000, limit) }
    guard let text = response.header("Retry-After") else { return nil }
    if let number = thousandths(text) { return min(number, limit) }
    guard let moment = date(text, now) else { return nil }
    let (span, overflow) = moment.microseconds.subtractingReportingOverflow(now.microseconds)
    return overflow ? nil : min(max(span / 1000, 0), limit)
  }

  /// A thousand times a decimal number without sign; what is too large is cut off.
  private static func thousandths(_ text: String) -> Int64? {
    var value: Int64 = 0
    var places: Int64 = 1000
    var hasPoint = false
    var hasDigit = false
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39:
        hasDigit = true
        if hasPoint {
          places /= 10
          value += Int64(byte - 0x30) * places
        } else {
          value = min(value * 10 + Int64(byte - 0x30) * 1000, 1_000_000_000_000)
        }
      case UInt8(ascii: ".") where !hasPoint: hasPoint = true
      default: return nil
      }
    }
    return hasDigit ? value : nil
  }

  /// A date in one of the three forms of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`,
  /// `Sun Nov  6 08:49:37 1994`. In each of them the day comes before the year, and the month is a word.
  private static func date(_ text: String, _ now: Timestamp) -> Timestamp? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    var month: Int?
    var time: String?
    var numbers: [String] = []
    for word in text.utf8.split(whereSeparator: { $0 == 0x20 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-") }) {
      let word = String(decoding: Array(word), as: UTF8.self)
      if let index = months.firstIndex(of: word) {
        month = index + 1
      } else if word.utf8.contains(UInt8(ascii: ":")) {
        time = word
      } else if word.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
        numbers.append(word)
      }
    }
    guard let month, let time, let day = numbers.first, let year = numbers.last, numbers.count == 2 else { return nil }
    let rest = "-\(padded("\(month)"))-\(padded(day))T\(time)Z"
    guard year.utf8.count == 2 else { return Timestamp(iso8601: year + rest) }
    // Two digits are a year of this century, unless that lies more than fifty years ahead.
    guard let moment = Timestamp(iso8601: "20\(year)\(rest)") else { return nil }
    let isFar = moment.seconds &- now.seconds > 50 * 31_557_600
    return isFar ? Timestamp(iso8601: "19\(year)\(rest)") : moment
  }

  private static func padded(_ digits: String) -> String { digits.utf8.count == 1 ? "0" + digits : digits }
}
