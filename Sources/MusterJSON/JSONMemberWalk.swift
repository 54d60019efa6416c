/// Walks the members of an object, for whoever looks for several of them at once: one pass over the text, and no memory
/// of its own.
package struct JSONMemberWalk {
  private let text: [UInt8]
  private var cursor: JSONMemberCursor
  /// The key's lexeme without its quotes.
  private var key = 0..<0
  private var isPlain = true
  private var place = 0..<0

  /// Anything but an object has no members.
  package init(_ object: JSON) {
    text = object.text
    let start = object.range.lowerBound
    let isObject = start >= 0 && start < text.count && text[start] == UInt8(ascii: "{")
    cursor = JSONMemberCursor(text: text, position: start &+ 1, end: isObject ? object.range.upperBound : start)
  }

  /// Goes to the next member; false when there is none.
  package mutating func next() -> Bool {
    guard let member = cursor.next(), member.key.count >= 2 else { return false }
    key = member.key.lowerBound &+ 1..<member.key.upperBound &- 1
    isPlain = JSONScan.quoteOrBackslash(text.span, from: key.lowerBound) >= key.upperBound
    place = member.value
    return true
  }

  /// The key's lexeme with its quotes.
  package var lexeme: JSON { JSON(text: text, range: key.lowerBound &- 1..<key.upperBound &+ 1) }

  /// The value of the member.
  package var value: JSON { JSON(text: text, range: place) }

  /// Whether its value is null.
  package var isNull: Bool { place.lowerBound < text.count && text[place.lowerBound] == UInt8(ascii: "n") }

  /// Whether its key is `name`.
  package func isKey(_ name: StaticString) -> Bool {
    if isPlain, key.count != name.utf8CodeUnitCount { return false }
    return name.withUTF8Buffer { JSONString.isEqual(key, in: text, $0.span) }
  }
}
