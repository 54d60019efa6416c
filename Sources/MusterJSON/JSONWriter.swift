/// Writes JSON in normal form: scalars as jansson prints them, and values that are already JSON byte for byte.
///
/// The caller keeps the grammar: a key before each value of an object, unique keys, as many ends as beginnings. Text
/// from outside must be UTF-8 without U+0000, which jansson would print but not read.
package struct JSONWriter {
  package private(set) var bytes: [UInt8]
  private var needsComma = false

  package init(capacity: Int = 256) {
    bytes = []
    bytes.reserveCapacity(min(max(capacity, 0), 1 << 24))
  }

  /// What was written, as a value.
  package var json: JSON { JSON.trusted(bytes) }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  package mutating func beginObject() {
    separate()
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
  }

  package mutating func endObject() {
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  package mutating func beginArray() {
    separate()
    bytes.append(UInt8(ascii: "["))
    needsComma = false
  }

  package mutating func endArray() {
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  /// A key that is known beforehand: without characters that need an escape.
  package mutating func key(_ key: StaticString) {
    key.withUTF8Buffer { text in
      if needsComma { bytes.append(UInt8(ascii: ",")) }
      bytes.append(UInt8(ascii: "\""))
      bytes.append(contentsOf: text)
      bytes.append(UInt8(ascii: "\""))
      bytes.append(UInt8(ascii: ":"))
    }
    needsComma = false
  }

  /// A key that comes from elsewhere.
  package mutating func key(text key: String) {
    separate()
    JSONString.appendLexeme(of: key, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// A key as it stands in another text.
  package mutating func key(_ lexeme: JSON) {
    separate()
    bytes.append(contentsOf: lexeme.bytes)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// The members of an object as they stand in another text.
  package mutating func members(of object: JSON) {
    guard object.kind == .object, !object.isEmpty else { return }
    separate()
    bytes.append(contentsOf: object.bytes.dropFirst().dropLast())
  }

  /// A value as it stands in another text.
  package mutating func value(_ json: JSON) {
    separate()
    bytes.append(contentsOf: json.bytes)
  }

  package mutating func value(_ text: String) {
    separate()
    JSONString.appendLexeme(of: text, to: &bytes)
  }

  package mutating func value(utf8 text: [UInt8]) {
    separate()
    JSONString.appendLexeme(of: text, to: &bytes)
  }

  package mutating func value(_ number: Int64) {
    separate()
    var digits: [UInt8] = []
    var rest = number.magnitude
    repeat {
      digits.append(UInt8(truncatingIfNeeded: rest % 10) + 0x30)
      rest /= 10
    } while rest > 0
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    bytes.append(contentsOf: digits.reversed())
  }

  package mutating func value(_ flag: Bool) {
    separate()
    bytes.append(contentsOf: flag ? [0x74, 0x72, 0x75, 0x65] : [0x66, 0x61, 0x6c, 0x73, 0x65])
  }

  package mutating func null() {
    separate()
    bytes.append(contentsOf: [0x6e, 0x75, 0x6c, 0x6c])
  }

  // MARK: - Members

  package mutating func member(_ key: StaticString, _ text: String?) {
    self.key(key)
    if let text { value(text) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ number: Int64?) {
    self.key(key)
    if let number { value(number) } else { null() }
  }

  package mutating func member(_ key: StaticString, _ flag: Bool) {
    self.key(key)
    value(flag)
  }

  package mutating func member(_ key: StaticString, _ json: JSON?) {
    self.key(key)
    if let json { value(json) } else { null() }
  }

  /// A member whose key comes from elsewhere.
  package mutating func member(text key: String, _ json: JSON) {
    self.key(text: key)
    value(json)
  }

  /// `member` only if there is a value.
  package mutating func memberIfPresent(_ key: StaticString, _ json: JSON?) {
    if let json { member(key, json) }
  }
}

extension JSON {
  /// A string value.
  package static func string(_ text: String) -> JSON {
    var writer = JSONWriter(capacity: text.utf8.count + 2)
    writer.value(text)
    return writer.json
  }

  /// An integer value.
  package static func integer(_ number: Int64) -> JSON {
    var writer = JSONWriter(capacity: 20)
    writer.value(number)
    return writer.json
  }

  /// A boolean value.
  package static func boolean(_ flag: Bool) -> JSON { flag ? .literal("true") : .literal("false") }

  /// This object with some members set: a member that exists keeps its place, a new one goes to the end.
  package func setting(_ changes: [(key: String, value: JSON)]) -> JSON {
    var writer = JSONWriter(capacity: range.count + 128)
    var written: [Bool] = [Bool](repeating: false, count: changes.count)
    writer.beginObject()
    for member in members {
      writer.key(member.lexeme)
      if let index = changes.firstIndex(where: { member.lexeme.isString($0.key) }) {
        writer.value(changes[index].value)
        written[index] = true
      } else {
        writer.value(member.value)
      }
    }
    for (change, isWritten) in zip(changes, written) where !isWritten {
      writer.member(text: change.key, change.value)
    }
    writer.endObject()
    return writer.json
  }
}
