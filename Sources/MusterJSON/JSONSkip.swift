/// Finds where values end in a text in normal form.
enum JSONSkip {
  /// The position behind the value (or key) that starts at `position`; never beyond the end of the text.
  static func value(in text: [UInt8], at position: Int) -> Int { value(in: text.span, at: position) }

  static func value(in text: Span<UInt8>, at position: Int) -> Int {
    guard position >= 0, position < text.count else { return text.count }
    switch text[position] {
    case UInt8(ascii: "\""): return string(in: text, at: position)
    case UInt8(ascii: "{"), UInt8(ascii: "["): return container(in: text, at: position)
    default:
      var end = position
      while end < text.count, !isDelimiter(text[end]) { end += 1 }
      return end
    }
  }

  private static func isDelimiter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: ":")
  }

  /// The position behind the string that starts at `position`.
  static func string(in text: Span<UInt8>, at position: Int) -> Int {
    var end = position + 1
    while true {
      end = JSONScan.quoteOrBackslash(text, from: end)
      guard end < text.count else { return text.count }
      if text[end] == UInt8(ascii: "\"") { return end + 1 }
      end += 2
    }
  }

  private static func container(in text: Span<UInt8>, at position: Int) -> Int {
    var depth = 0
    var end = position
    while end < text.count {
      switch text[end] {
      case UInt8(ascii: "\""):
        end = string(in: text, at: end)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return end + 1 }
      default: break
      }
      end += 1
    }
    return text.count
  }
}
