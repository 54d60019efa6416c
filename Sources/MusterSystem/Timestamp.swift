import CPlatform

/// A moment in UTC microseconds since 1970, as stores keep it.
package struct Timestamp: Sendable, Equatable, Comparable {
  package let microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  package static func now() -> Timestamp { Timestamp(microseconds: platform_clock_realtime_microseconds()) }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  /// Whole seconds since 1970, rounded down.
  package var seconds: Int64 {
    let quotient = microseconds / 1_000_000
    return microseconds % 1_000_000 < 0 ? quotient &- 1 : quotient
  }

  /// ISO 8601 with microseconds and `Z`: `2026-02-05T18:54:51.388334Z`.
  package var iso8601: String {
    let fields = platform_calendar_from_seconds(seconds)
    let fraction = microseconds &- seconds &* 1_000_000
    var text: [UInt8] = []
    text.reserveCapacity(27)
    appendPadded(fields.year, 4, to: &text)
    text.append(UInt8(ascii: "-"))
    appendPadded(Int64(fields.month), 2, to: &text)
    text.append(UInt8(ascii: "-"))
    appendPadded(Int64(fields.day), 2, to: &text)
    text.append(UInt8(ascii: "T"))
    appendPadded(Int64(fields.hour), 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendPadded(Int64(fields.minute), 2, to: &text)
    text.append(UInt8(ascii: ":"))
    appendPadded(Int64(fields.second), 2, to: &text)
    text.append(UInt8(ascii: "."))
    appendPadded(fraction, 6, to: &text)
    text.append(UInt8(ascii: "Z"))
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads `YYYY-MM-DD`, optionally followed by `T` (or a blank) `HH:MM[:SS[.fraction]]` and `Z` or `±HH:MM`; without a
  /// zone it is UTC. Nil when it is anything else.
  package init?(iso8601 text: String) {
    var reader = Reader(bytes: Array(text.utf8))
    guard let year = reader.digits(4), reader.take("-"), let month = reader.digits(2), reader.take("-"),
      let day = reader.digits(2), (1...12).contains(month), day >= 1, day <= Timestamp.days(in: month, of: year)
    else { return nil }
    var hour: Int64 = 0
    var minute: Int64 = 0
    var second: Int64 = 0
    var fraction: Int64 = 0
    var offset: Int64 = 0
    if !reader.isAtEnd {
      guard reader.take("T") || reader.take(" "), let hours = reader.digits(2), reader.take(":"),
        let minutes = reader.digits(2), hours < 24, minutes < 60
      else { return nil }
      hour = hours
      minute = minutes
      if reader.take(":") {
        guard let seconds = reader.digits(2), seconds < 60 else { return nil }
        second = seconds
        if reader.take(".") {
          guard let value = reader.fraction() else { return nil }
          fraction = value
        }
      }
      if !reader.take("Z") && !reader.isAtEnd {
        let sign: Int64 = reader.take("+") ? -1 : 1
        guard sign < 0 || reader.take("-"), let hours = reader.digits(2) else { return nil }
        _ = reader.take(":")
        guard let minutes = reader.digits(2), hours < 24, minutes < 60 else { return nil }
        offset = sign * (hours * 3600 + minutes * 60)
      }
      guard reader.isAtEnd else { return nil }
    }
    let calendar = platform_calendar(
      year: year, month: Int32(clamping: month), day: Int32(clamping: day), hour: Int32(clamping: hour),
      minute: Int32(clamping: minute), second: Int32(clamping: second))
    microseconds = (platform_seconds_from_calendar(calendar) &+ offset) &* 1_000_000 &+ fraction
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }

  /// Reads fixed-width fields from the front of a text.
  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    var isAtEnd: Bool { position >= bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
      position += 1
      return true
    }

    mutating func digits(_ count: Int) -> Int64? {
      guard bytes.count - position >= count else { return nil }
      var value: Int64 = 0
      for byte in bytes[position..<position + count] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      position += count
      return value
    }

    /// One to many digits after the point, in microseconds; more than six are cut off.
    mutating func fraction() -> Int64? {
      var value: Int64 = 0
      var count = 0
      while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
        if count < 6 { value = value * 10 + Int64(bytes[position] - 0x30) }
        count += 1
        position += 1
      }
      guard count > 0 else { return nil }
      while count < 6 {
        value *= 10
        count += 1
      }
      return value
    }
  }
}

/// Appends `value` in decimal with at least `width` digits.
private func appendPadded(_ value: Int64, _ width: Int, to text: inout [UInt8]) {
  if value < 0 { text.append(UInt8(ascii: "-")) }
  let magnitude = value.magnitude
  var divisor: UInt64 = 1
  var digits = 1
  // The first digit's place: that of the value's own first digit, or of the width's.
  while digits < width || magnitude / divisor >= 10 {
    divisor *= 10
    digits += 1
  }
  while divisor > 0 {
    text.append(UInt8(truncatingIfNeeded: magnitude / divisor % 10) + 0x30)
    divisor /= 10
  }
}
