/// Finds the next byte of interest, eight bytes at a time.
///
/// The eight are loaded as one number, little end first. In what the functions compute, the high bit of a byte is set
/// when the byte is of interest; bytes behind the first such one may have it set as well.
enum JSONScan {
  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// The next position from `start` on of a byte that does not stand for itself in a string: a quote, a backslash, a
  /// control character, or a byte that is not ASCII. The text's end if there is none.
  @inline(__always)
  static func specialInString(_ text: Span<UInt8>, from start: Int) -> Int {
    let raw = text.bytes
    var position = start
    while position &+ 8 <= raw.byteCount {
      let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quote = (word ^ 0x2222_2222_2222_2222) &- ones
      let backslash = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- ones
      let control = word &- 0x2020_2020_2020_2020
      let special = (word | quote | backslash | control) & highBits
      if special != 0 { return position &+ special.trailingZeroBitCount / 8 }
      position &+= 8
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
      let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quote = word ^ 0x2222_2222_2222_2222
      let backslash = word ^ 0x5c5c_5c5c_5c5c_5c5c
      let special = (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & highBits
      if special != 0 { return position &+ special.trailingZeroBitCount / 8 }
      position &+= 8
    }
    while position < text.count, text[position] != UInt8(ascii: "\""), text[position] != UInt8(ascii: "\\") {
      position += 1
    }
    return position
  }
}
