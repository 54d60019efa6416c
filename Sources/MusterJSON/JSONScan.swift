/// Finds the next byte of interest, eight bytes at a time.
///
/// The eight are loaded as one number, little end first. In what the functions compute, the high bit of a byte is set
/// when the byte is of interest; bytes behind the first such one may have it set as well.
enum JSONScan {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  @inline(__always)
  private static func special(_ word: UInt64) -> UInt64 {
    let quote = (word ^ 0x2222_2222_2222_2222) &- ones
    let backslash = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- ones
    let control = word &- 0x2020_2020_2020_2020
    return (word | quote | backslash | control) & highBits
  }

  @inline(__always)
  private static func end(_ word: UInt64) -> UInt64 {
    let quote = word ^ 0x2222_2222_2222_2222
    let backslash = word ^ 0x5c5c_5c5c_5c5c_5c5c
    return (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & highBits
  }

  /// The bytes from `position` on, fewer than eight, with letters behind them; nil when nothing is left, or the text is
  /// too short to be loaded from behind.
  @inline(__always)
  private static func last(_ raw: RawSpan, from position: Int) -> UInt64? {
    let left = raw.byteCount &- position
    guard left > 0, left < 8, raw.byteCount >= 8 else { return nil }
    let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: raw.byteCount &- 8, as: UInt64.self))
    let bits = UInt64(left &* 8)
    return word >> (64 &- bits) | 0x6161_6161_6161_6161 << bits
  }

  /// The next position from `start` on of a byte that does not stand for itself in a string: a quote, a backslash, a
  /// control character, or a byte that is not ASCII. The text's end if there is none.
  @inline(__always)
  static func specialInString(_ text: Span<UInt8>, from start: Int) -> Int {
    let raw = text.bytes
    var position = start
    while position &+ 8 <= raw.byteCount {
      let special = special(UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)))
      if special != 0 { return position &+ special.trailingZeroBitCount / 8 }
      position &+= 8
    }
    if let word = last(raw, from: position) {
      return min(position &+ special(word).trailingZeroBitCount / 8, text.count)
    }
    while position < text.count {
      let byte = text[position]
      if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      position += 1
    }
    return position
  }

  /// The next position from `start` on of a quote or a backslash; the text's end if there is none.
  @inline(__always)
  static func quoteOrBackslash(_ text: Span<UInt8>, from start: Int) -> Int {
    let raw = text.bytes
    var position = start
    while position &+ 8 <= raw.byteCount {
      let end = end(UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)))
      if end != 0 { return position &+ end.trailingZeroBitCount / 8 }
      position &+= 8
    }
    if let word = last(raw, from: position) {
      return min(position &+ end(word).trailingZeroBitCount / 8, text.count)
    }
    while position < text.count, text[position] != UInt8(ascii: "\""), text[position] != UInt8(ascii: "\\") {
      position += 1
    }
    return position
  }
}
