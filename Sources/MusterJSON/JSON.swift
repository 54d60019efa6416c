/// A value in a JSON text in normal form: valid, compact, keys of an object unique.
///
/// It is a view: the bytes are shared, and number lexemes and string escapes are as they came in. Made by
/// `JSON.parse`, `JSON.trusted` and the accessors below; nothing here fails or traps on a value of another type, it
/// answers nil or empty.
package struct JSON: Sendable {
  package enum Kind: Sendable, Equatable {
    case object, array, string, integer, real, boolean, null
  }

  /// The whole text.
  let text: [UInt8]
  /// Where this value stands in it.
  let range: Range<Int>

  init(text: [UInt8], range: Range<Int>) {
    self.text = text
    self.range = range
  }

  /// Takes a text that this program wrote itself and that is in normal form.
  package static func trusted(_ text: [UInt8]) -> JSON { JSON(text: text, range: 0..<text.count) }

  /// Takes a literal in normal form.
  package static func literal(_ text: StaticString) -> JSON {
    trusted(text.withUTF8Buffer { Array($0) })
  }

  package static let null = JSON.literal("null")

  private func byte(_ position: Int) -> UInt8 {
    position >= range.lowerBound && position < range.upperBound && position < text.count ? text[position] : 0
  }

  /// The bytes of the value.
  package var bytes: ArraySlice<UInt8> {
    range.lowerBound >= 0 && range.upperBound <= text.count ? text[range] : []
  }

  package var kind: Kind {
    switch byte(range.lowerBound) {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"), 0: return .null
    default:
      let end = min(range.upperBound, text.count)
      var position = range.lowerBound
      while position < end {
        let character = text[position]
        if character == UInt8(ascii: ".") || character | 0x20 == UInt8(ascii: "e") { return .real }
        position += 1
      }
      return .integer
    }
  }

  package var isNull: Bool { byte(range.lowerBound) == UInt8(ascii: "n") }

  package var bool: Bool? {
    switch byte(range.lowerBound) {
    case UInt8(ascii: "t"): return true
    case UInt8(ascii: "f"): return false
    default: return nil
    }
  }

  /// An integer lexeme's value.
  package var int64: Int64? { kind == .integer ? JSONNumber.int64(bytes) : nil }

  /// The value of an integer or real lexeme.
  package var double: Double? {
    switch kind {
    case .integer, .real: return JSONNumber.double(bytes)
    default: return nil
    }
  }

  /// The content of a string, escapes resolved, as UTF-8.
  package var utf8: [UInt8]? {
    guard kind == .string, range.count >= 2 else { return nil }
    return JSONString.decode(text[range.lowerBound + 1..<range.upperBound - 1])
  }

  /// The content of a string, escapes resolved.
  package var string: String? {
    guard kind == .string, range.count >= 2 else { return nil }
    let lexeme = text[range.lowerBound + 1..<range.upperBound - 1]
    if lexeme.contains(UInt8(ascii: "\\")) { return String(decoding: JSONString.decode(lexeme), as: UTF8.self) }
    return String(decoding: lexeme, as: UTF8.self)
  }

  /// Whether it is a string with exactly this content.
  package func isString(_ content: String) -> Bool {
    guard kind == .string, range.count >= 2 else { return false }
    let lexeme = text[range.lowerBound + 1..<range.upperBound - 1]
    guard lexeme.contains(UInt8(ascii: "\\")) else { return lexeme.elementsEqual(content.utf8) }
    return JSONString.decode(lexeme).elementsEqual(content.utf8)
  }

  /// Whether two values have the same bytes. Equal values may be written in different ways; see `JSONEquality`.
  package func hasSameBytes(_ other: JSON) -> Bool { hasSameBytes(other.range, in: other.text) }

  /// Whether the bytes are those of another text at a place.
  func hasSameBytes(_ other: Range<Int>, in otherText: [UInt8]) -> Bool {
    guard range.count == other.count, other.upperBound <= otherText.count, range.upperBound <= text.count else {
      return false
    }
    for offset in 0..<range.count
    where text[range.lowerBound + offset] != otherText[other.lowerBound + offset] { return false }
    return true
  }

  /// Null, "", [] or {}.
  package var isEmpty: Bool {
    if isNull { return true }
    guard range.count == 2 else { return false }
    switch kind {
    case .object, .array, .string: return true
    default: return false
    }
  }

  // MARK: - Members and elements

  /// A member of an object.
  package struct Member: Sendable {
    /// The key's lexeme with its quotes.
    package let lexeme: JSON
    package let value: JSON

    /// The key, escapes resolved.
    package var key: String { lexeme.string ?? "" }
  }

  /// The members in order; empty for anything but an object.
  package var members: [Member] {
    guard kind == .object else { return [] }
    var found: [Member] = []
    var cursor = JSONMemberCursor(text: text, position: range.lowerBound + 1, end: range.upperBound)
    while let member = cursor.next() {
      found.append(
        Member(lexeme: JSON(text: text, range: member.key), value: JSON(text: text, range: member.value)))
    }
    return found
  }

  /// The elements in order; empty for anything but an array.
  package var elements: [JSON] {
    guard kind == .array else { return [] }
    var found: [JSON] = []
    var cursor = JSONElementCursor(text: text, position: range.lowerBound + 1, end: range.upperBound)
    while let element = cursor.next() { found.append(JSON(text: text, range: element)) }
    return found
  }

  /// The value of a member; nil when it has none, or is no object.
  package subscript(key: String) -> JSON? {
    guard byte(range.lowerBound) == UInt8(ascii: "{") else { return nil }
    var key = key
    return key.withUTF8 { wanted in
      var cursor = JSONMemberCursor(text: text, position: range.lowerBound + 1, end: range.upperBound)
      while let member = cursor.next() {
        if JSONString.isEqual(member.key.lowerBound + 1..<member.key.upperBound - 1, in: text, wanted.span) {
          return JSON(text: text, range: member.value)
        }
      }
      return nil
    }
  }

  /// The value of a member that is there and not null.
  package func present(_ key: String) -> JSON? {
    guard let value = self[key], !value.isNull else { return nil }
    return value
  }

  /// A copy whose text is this value alone; use it to let go of a large text around a small value.
  package var detached: JSON { JSON.trusted(Array(bytes)) }
}
