/// Finds where values end in a text in normal form.
enum JSONSkip {
  /// The position behind the value (or key) that starts at `position`; never beyond the end of the text.
  static func value(in text: [UInt8], at position: Int) -> Int {
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

  private static func string(in text: [UInt8], at position: Int) -> Int {
    var end = position + 1
    while end < text.count {
      let byte = text[end]
      if byte == UInt8(ascii: "\"") { return end + 1 }
      end += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    return text.count
  }

  private static func container(in text: [UInt8], at position: Int) -> Int {
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
