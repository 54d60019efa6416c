extension JSONParser {
  // MARK: - Numbers

  mutating func number(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    var hasFraction = false
    var exponentStart: Int?
    if text[position] == UInt8(ascii: "-") { position += 1 }
    if position < text.count, text[position] == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits(text, "digit expected")
    }
    if position < text.count, text[position] == UInt8(ascii: ".") {
      hasFraction = true
      position += 1
      try digits(text, "digit expected after '.'")
    }
    if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
      exponentStart = position
      position += 1
      if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
        position += 1
      }
      try digits(text, "digit expected in exponent")
    }
    let length = position - start
    if hasFraction || exponentStart != nil {
      // Below 10^300 without looking closer: 200 digits, times 10^99 at most.
      if length <= 200, position - (exponentStart ?? position) <= 3 { return }
      guard JSONNumber.double(bytes[start..<position]).isFinite else {
        throw failure("real number overflow", at: start)
      }
    } else if length > 18, JSONNumber.int64(bytes[start..<position]) == nil {
      throw failure("too big integer", at: start)
    }
  }

  private mutating func digits(_ text: Span<UInt8>, _ message: String) throws(JSONError) {
    let start = position
    while position < text.count, text[position] &- 0x30 <= 9 { position += 1 }
    if start == position { throw failure(message) }
  }

  // MARK: - Strings

  /// Reads a string with its quotes; says whether it has escapes.
  mutating func string(_ text: Span<UInt8>) throws(JSONError) -> Bool {
    let start = position
    var hasEscapes = false
    position += 1
    while true {
      let end = JSONScan.specialInString(text, from: position)
      position = end
      guard end < text.count else { throw failure("premature end of string", at: start) }
      switch text[end] {
      case UInt8(ascii: "\""):
        position = end + 1
        return hasEscapes
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try escape(text)
      case ..<0x20: throw failure("control character in string")
      default:
        let length = UTF8Check.sequenceLength(in: text, at: end)
        guard length > 0 else { throw failure("invalid UTF-8", .utf8) }
        position = end + length
      }
    }
  }

  private mutating func escape(_ text: Span<UInt8>) throws(JSONError) {
    let start = position
    position += 1
    guard position < text.count else { throw failure("invalid escape", at: start) }
    switch text[position] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      let unit = try escapedUnit(text, start)
      guard unit != 0 else { throw failure("\\u0000 is not allowed", at: start) }
      guard unit < 0xdc00 || unit > 0xdfff else { throw failure("invalid Unicode escape", at: start) }
      guard unit >= 0xd800, unit < 0xdc00 else { return }
      guard position + 1 < text.count, text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u")
      else { throw failure("invalid Unicode escape", at: start) }
      position += 1
      let low = try escapedUnit(text, start)
      guard low >= 0xdc00, low <= 0xdfff else { throw failure("invalid Unicode escape", at: start) }
    default: throw failure("invalid escape", at: start)
    }
  }

  /// Reads `uXXXX`.
  private mutating func escapedUnit(_ text: Span<UInt8>, _ start: Int) throws(JSONError) -> UInt32 {
    position += 1
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard position < text.count, let digit = JSONString.nibble(text[position]) else {
        throw failure("invalid escape", at: start)
      }
      unit = unit << 4 | digit
      position += 1
    }
    return unit
  }
}
