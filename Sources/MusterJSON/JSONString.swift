import CJansson

/// Reads and writes strings.
enum JSONString {
  /// The content of a string lexeme without its quotes; the lexeme is valid.
  static func decode(_ lexeme: ArraySlice<UInt8>) -> [UInt8] {
    guard lexeme.contains(UInt8(ascii: "\\")) else { return Array(lexeme) }
    var content: [UInt8] = []
    content.reserveCapacity(lexeme.count)
    var position = lexeme.startIndex
    while position < lexeme.endIndex {
      let byte = lexeme[position]
      position += 1
      guard byte == UInt8(ascii: "\\"), position < lexeme.endIndex else {
        content.append(byte)
        continue
      }
      let escape = lexeme[position]
      position += 1
      switch escape {
      case UInt8(ascii: "b"): content.append(0x08)
      case UInt8(ascii: "f"): content.append(0x0c)
      case UInt8(ascii: "n"): content.append(0x0a)
      case UInt8(ascii: "r"): content.append(0x0d)
      case UInt8(ascii: "t"): content.append(0x09)
      case UInt8(ascii: "u"):
        var scalar = hexadecimal(lexeme, at: position)
        position += 4
        if scalar >= 0xd800, scalar < 0xdc00 {
          let low = hexadecimal(lexeme, at: position + 2)
          position += 6
          scalar = 0x10000 &+ ((scalar &- 0xd800) << 10) &+ (low &- 0xdc00)
        }
        append(scalar, to: &content)
      default: content.append(escape)
      }
    }
    return content
  }

  /// The number of code points in the content of a string lexeme without its quotes.
  static func length(_ lexeme: Range<Int>, in text: [UInt8]) -> Int {
    let span = text.span
    var length = 0
    for position in lexeme {
      let byte = span[position]
      if byte == UInt8(ascii: "\\") {
        // Each code point has one byte that is not a continuation.
        return decode(text[lexeme]).reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) }
      }
      if byte & 0xc0 != 0x80 { length += 1 }
    }
    return length
  }

  /// Whether the content of a valid string lexeme (without its quotes), which stands at a place in a text, is `content`.
  static func isEqual(_ lexeme: Range<Int>, in text: [UInt8], _ content: Span<UInt8>) -> Bool {
    let span = text.span
    // An escape is longer than what it stands for.
    if lexeme.count < content.count { return false }
    if lexeme.count == content.count {
      for offset in 0..<content.count {
        let byte = content[offset]
        if byte == UInt8(ascii: "\\") || span[lexeme.lowerBound + offset] != byte { return false }
      }
      return true
    }
    for position in lexeme where span[position] == UInt8(ascii: "\\") {
      let decoded = decode(text[lexeme])
      return decoded.count == content.count && decoded.indices.allSatisfy { decoded[$0] == content[$0] }
    }
    return false
  }

  /// Four hexadecimal digits; the caller has checked them.
  static func hexadecimal(_ bytes: ArraySlice<UInt8>, at position: Int) -> UInt32 {
    var value: UInt32 = 0
    for offset in 0..<4 {
      let place = position + offset
      guard place >= bytes.startIndex, place < bytes.endIndex, let digit = nibble(bytes[place]) else { return 0xfffd }
      value = value << 4 | digit
    }
    return value
  }

  static func nibble(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: return UInt32(byte - 0x30)
    case 0x41...0x46: return UInt32(byte - 0x41 + 10)
    case 0x61...0x66: return UInt32(byte - 0x61 + 10)
    default: return nil
    }
  }

  private static func append(_ scalar: UInt32, to content: inout [UInt8]) {
    switch scalar {
    case ..<0x80: content.append(UInt8(truncatingIfNeeded: scalar))
    case ..<0x800:
      content.append(UInt8(truncatingIfNeeded: 0xc0 | scalar >> 6))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
    case ..<0x10000:
      content.append(UInt8(truncatingIfNeeded: 0xe0 | scalar >> 12))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3f))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
    default:
      content.append(UInt8(truncatingIfNeeded: 0xf0 | scalar >> 18))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3f))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3f))
      content.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3f))
    }
  }

  /// Appends the lexeme of a string, as jansson prints it.
  ///
  /// A content without characters that need an escape is copied between quotes, which is what jansson prints;
  /// everything else is printed by jansson itself.
  static func appendLexeme(of content: [UInt8], to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    let start = text.count
    text.append(contentsOf: content)
    endLexeme(from: start, in: &text)
  }

  /// The same for a text.
  static func appendLexeme(of content: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    let start = text.count
    var content = content
    content.withUTF8 { text.append(contentsOf: $0) }
    endLexeme(from: start, in: &text)
  }

  /// Writes anew what was copied from `start` on if it needs escapes, and closes the string.
  private static func endLexeme(from start: Int, in text: inout [UInt8]) {
    if needsEscapes(text.span, from: start) {
      let content = Array(text[start...])
      text.removeLast(content.count)
      text.append(contentsOf: janssonEscaped(content))
    }
    text.append(UInt8(ascii: "\""))
  }

  private static func needsEscapes(_ text: Span<UInt8>, from start: Int) -> Bool {
    var position = start
    while true {
      position = JSONScan.specialInString(text, from: position)
      guard position < text.count else { return false }
      let byte = text[position]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return true }
      position += 1
    }
  }

  /// What jansson prints between the quotes.
  private static func janssonEscaped(_ content: [UInt8]) -> [UInt8] {
    let value = content.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { json_stringn_nocheck($0.baseAddress, $0.count) }
    }
    guard let value else { return [] }
    defer { json_decref(value) }
    // An escape is at most six bytes for one; the quotes are two more.
    var printed = [UInt8](repeating: 0, count: content.count * 6 + 2)
    let size = printed.withUnsafeMutableBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        json_dumpb(value, $0.baseAddress, $0.count, Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY))
      }
    }
    guard size >= 2, size <= printed.count else { return [] }
    return Array(printed[1..<size - 1])
  }
}
