import CPlatform

/// Reads number lexemes.
enum JSONNumber {
  /// The value of an integer lexeme; nil when it does not fit 64 bits.
  static func int64(_ lexeme: ArraySlice<UInt8>) -> Int64? {
    var value: Int64 = 0
    var digits = lexeme
    let negative = digits.first == UInt8(ascii: "-")
    if negative { digits = digits.dropFirst() }
    guard !digits.isEmpty else { return nil }
    for byte in digits {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (scaled, first) = value.multipliedReportingOverflow(by: 10)
      let (next, second) = scaled.subtractingReportingOverflow(Int64(byte - 0x30))
      guard !first, !second else { return nil }
      value = next
    }
    if negative { return value }
    return value == .min ? nil : -value
  }

  /// The value of any number lexeme; infinite when it is too large.
  static func double(_ lexeme: ArraySlice<UInt8>) -> Double {
    var text = Array(lexeme)
    text.append(0)
    return text.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      return base.withMemoryRebound(to: CChar.self, capacity: buffer.count) { platform_string_to_double($0) }
    }
  }
}
