/// A text in which one string changes: what is like it but for that string needs no parsing.
///
/// Streams say the same again and again with another word in it. A text is compared with the one before, and only the
/// string is looked at; that costs a tenth of parsing.
package struct JSONStringPattern: Sendable {
  private let text: [UInt8]
  /// Where the string stands, without its quotes.
  private let place: Range<Int>

  /// - Parameter string: a string somewhere in `document`, got from it; nil is made of any other value.
  package init?(_ document: JSON, varying string: JSON) {
    guard string.kind == .string, string.range.count >= 2, document.range == 0..<document.text.count,
      string.range.lowerBound >= 0, string.range.upperBound <= document.text.count,
      string.text.count == document.text.count
    else { return nil }
    text = document.text
    place = string.range.lowerBound + 1..<string.range.upperBound - 1
  }

  /// The content of the string in another text, if nothing else differs and the string has no escapes; such a text is
  /// valid and in normal form. Nil says nothing about it.
  package func content(in other: [UInt8]) -> [UInt8]? {
    let tail = text.count - place.upperBound
    let end = other.count - tail
    guard end >= place.lowerBound,
      JSONStringPattern.isSame(text.span, 0, other.span, 0, place.lowerBound),
      JSONStringPattern.isSame(text.span, place.upperBound, other.span, end, tail)
    else { return nil }
    var position = place.lowerBound
    while true {
      position = JSONScan.specialInString(other.span, from: position)
      // The quote at the end is special, so that nothing goes beyond it.
      guard position < end else { return Array(other[place.lowerBound..<end]) }
      guard other[position] >= 0x80 else { return nil }
      let length = UTF8Check.sequenceLength(in: other.span, at: position)
      guard length > 0 else { return nil }
      position += length
    }
  }

  /// Whether `count` bytes are the same at two places, eight of them at a time.
  private static func isSame(
    _ left: Span<UInt8>, _ leftStart: Int, _ right: Span<UInt8>, _ rightStart: Int, _ count: Int
  ) -> Bool {
    let leftRaw = left.bytes
    let rightRaw = right.bytes
    var offset = 0
    while offset &+ 8 <= count {
      let one = leftRaw.unsafeLoadUnaligned(fromByteOffset: leftStart &+ offset, as: UInt64.self)
      let other = rightRaw.unsafeLoadUnaligned(fromByteOffset: rightStart &+ offset, as: UInt64.self)
      guard one == other else { return false }
      offset &+= 8
    }
    while offset < count {
      guard left[leftStart &+ offset] == right[rightStart &+ offset] else { return false }
      offset &+= 1
    }
    return true
  }
}
