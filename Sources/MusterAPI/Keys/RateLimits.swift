import MusterStore

/// How many requests each API key may make in a minute and in an hour of the clock.
package struct RateLimits: Sendable, Equatable {
  package let perMinute: Int64
  package let perHour: Int64

  /// What the documented service allows.
  package static let documented = RateLimits(perMinute: 100, perHour: 1000)

  private static let largest: Int64 = 1_000_000_000

  package init(perMinute: Int64, perHour: Int64) {
    self.perMinute = perMinute
    self.perHour = perHour
  }

  /// Reads `MINUTE/HOUR`, two numbers from 1; nil when it is anything else.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard parts.count == 2, let minute = RateLimits.number(parts[0]), let hour = RateLimits.number(parts[1]) else {
      return nil
    }
    self.init(perMinute: minute, perHour: hour)
  }

  private static func number(_ digits: Substring.UTF8View) -> Int64? {
    guard digits.count <= 10, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    var value: Int64 = 0
    for digit in digits { value = value &* 10 &+ Int64(digit &- 0x30) }
    return (1...largest).contains(value) ? value : nil
  }

  var windows: [RateWindow] {
    [RateWindow(seconds: 60, limit: perMinute), RateWindow(seconds: 3600, limit: perHour)]
  }
}
