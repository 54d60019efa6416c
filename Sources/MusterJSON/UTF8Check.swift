/// Checks UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
package enum UTF8Check {
  /// The length of the sequence at `position`; 0 when it is not valid.
  static func sequenceLength(in bytes: Span<UInt8>, at position: Int) -> Int {
    guard position >= 0, position < bytes.count else { return 0 }
    let left = bytes.count - position
    let first = bytes[position]
    if first < 0x80 { return 1 }
    guard left > 1 else { return 0 }
    let second = bytes[position + 1]
    switch first {
    case 0xc2...0xdf: return isContinuation(second) ? 2 : 0
    case 0xe0...0xef:
      guard left > 2, isContinuation(bytes[position + 2]), isContinuation(second) else { return 0 }
      // No overlong form, no surrogate.
      return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0 : 3
    case 0xf0...0xf4:
      guard left > 3, isContinuation(bytes[position + 3]), isContinuation(bytes[position + 2]), isContinuation(second)
      else { return 0 }
      // No overlong form, nothing beyond U+10FFFF.
      return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4
    default: return 0
    }
  }

  private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }

  /// Whether all of `bytes` is UTF-8.
  package static func isValid(_ bytes: [UInt8]) -> Bool {
    let text = bytes.span
    var position = 0
    while position < text.count {
      let length = sequenceLength(in: text, at: position)
      if length == 0 { return false }
      position += length
    }
    return true
  }
}
