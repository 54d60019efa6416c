/// A key of an object that is being read.
struct JSONKey {
  /// The lexeme without quotes.
  let range: Range<Int>
  /// Equal for equal keys without escapes, and mostly different for different ones: the length, and the bytes at the
  /// ends. It spares comparing the keys.
  let signature: UInt64
  let hasEscapes: Bool

  init(_ range: Range<Int>, hasEscapes: Bool, in text: Span<UInt8>) {
    self.range = range
    self.hasEscapes = hasEscapes
    let count = range.count
    let start = range.lowerBound
    let end = range.upperBound
    var signature = UInt64(truncatingIfNeeded: count)
    if count >= 4 {
      signature = signature << 8 | UInt64(text[start])
      signature = signature << 8 | UInt64(text[start + 1])
      signature = signature << 8 | UInt64(text[end - 4])
      signature = signature << 8 | UInt64(text[end - 3])
      signature = signature << 8 | UInt64(text[end - 2])
      signature = signature << 8 | UInt64(text[end - 1])
    } else {
      for position in range { signature = signature << 8 | UInt64(text[position]) }
    }
    self.signature = signature
  }
}
