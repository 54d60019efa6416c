import Glibc

/// Times as people read and write them.
enum Time {
  /// "2026-11-22 01:55 UTC" for a time in UTC as the library writes it.
  static func minute(_ text: String?) -> String? {
    guard let text, text.utf8.count >= 16 else { return text }
    return text.prefix(10) + " " + text.dropFirst(11).prefix(5) + " UTC"
  }

  /// How long ago a time was, in one unit: "12s", "5m", "3h", "40d".
  static func age(_ text: String?) -> String {
    guard let text, let then = seconds(text) else { return "" }
    let age = max(0, time(nil) - then)
    switch age {
    case ..<60: return "\(age)s"
    case ..<3_600: return "\(age / 60)m"
    case ..<86_400: return "\(age / 3_600)h"
    default: return "\(age / 86_400)d"
    }
  }

  /// Whether a time has passed.
  static func isPast(_ text: String?) -> Bool {
    guard let text, let then = seconds(text) else { return false }
    return then <= time(nil)
  }

  /// Seconds since 1970 of a time in UTC as the library writes it.
  private static func seconds(_ text: String) -> Int? {
    let parts = text.prefix(19).split { !$0.isNumber }.compactMap { Int32($0) }
    guard parts.count == 6 else { return nil }
    var fields = tm()
    // Four digits at most.
    fields.tm_year = parts[0] &- 1900
    fields.tm_mon = parts[1] &- 1
    (fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec) = (parts[2], parts[3], parts[4], parts[5])
    return timegm(&fields)
  }

  /// The time that lies so much before or after now, as the library reads it; nil when the text is no length of time.
  /// A number and s, m, h, d or w.
  static func moment(_ length: String, isPast: Bool) -> String? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
    guard let unit = length.last.flatMap({ units[$0] }), let count = Int(length.dropLast()), count >= 0,
      length.first != "+"
    else { return nil }
    let (span, overflow) = count.multipliedReportingOverflow(by: unit)
    // Three thousand years: what lies further cannot be written as a time.
    guard !overflow, span <= 94_608_000_000 else { return nil }
    var moment = time(nil) + (isPast ? -span : span)
    var fields = tm()
    guard gmtime_r(&moment, &fields) != nil, fields.tm_year >= -1900, fields.tm_year <= 8099 else { return nil }
    func digits(_ number: Int32, _ width: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
    return "\(digits(fields.tm_year + 1900, 4))-\(digits(fields.tm_mon + 1, 2))-\(digits(fields.tm_mday, 2))T"
      + "\(digits(fields.tm_hour, 2)):\(digits(fields.tm_min, 2)):\(digits(fields.tm_sec, 2))Z"
  }

  /// Seconds with one place: "3.2 s", "1 min 5 s".
  static func elapsed(_ milliseconds: Int) -> String {
    if milliseconds < 60_000 { return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s" }
    return "\(milliseconds / 60_000) min \(milliseconds / 1000 % 60) s"
  }

  static func monotonicMilliseconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
  }
}
