/// The text of an object whose keys are known beforehand, written with other values in some places: what stays the same
/// is copied in long runs.
package struct JSONTemplate: Sendable {
  private struct Place {
    /// `"key":` in `keys`.
    let key: Range<Int>
    /// `"key":value,` in `text`; empty for a member that has no value of its own.
    let member: Range<Int>
  }

  private let keys: [UInt8]
  private let text: [UInt8]
  private let places: [Place]

  /// A member for each place, in order. One without a value is left out unless a value is given.
  package init(_ members: [(key: String, value: JSON?)]) {
    var keys: [UInt8] = []
    var text: [UInt8] = []
    var places: [Place] = []
    for member in members {
      let (key, start) = (keys.count, text.count)
      JSONString.appendLexeme(of: member.key, to: &keys)
      keys.append(UInt8(ascii: ":"))
      if let value = member.value {
        text.append(contentsOf: keys[key...])
        text.append(contentsOf: value.bytes)
        text.append(UInt8(ascii: ","))
      }
      places.append(Place(key: key..<keys.count, member: start..<text.count))
    }
    self.keys = keys
    self.text = text
    self.places = places
  }

  /// The object with these values in place of its own, and with other members behind. No key of `others` is one of the
  /// template's.
  package func filled(_ values: JSONPlacedValues, others: [JSON.Member]) -> [UInt8] {
    var size = text.count + 2
    for entry in values.entries { size += entry.value.range.count + 32 }
    for member in others { size += member.lexeme.range.count + member.value.range.count + 2 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    bytes.append(UInt8(ascii: "{"))
    var copied = 0
    for entry in values.entries where entry.place >= 0 && entry.place < places.count {
      let place = places[entry.place]
      if copied < place.member.lowerBound { bytes.append(contentsOf: text[copied..<place.member.lowerBound]) }
      bytes.append(contentsOf: keys[place.key])
      bytes.append(contentsOf: entry.value.bytes)
      bytes.append(UInt8(ascii: ","))
      copied = place.member.upperBound
    }
    if copied < text.count { bytes.append(contentsOf: text[copied...]) }
    for member in others {
      bytes.append(contentsOf: member.lexeme.bytes)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(contentsOf: member.value.bytes)
      bytes.append(UInt8(ascii: ","))
    }
    // The last comma becomes the brace.
    if bytes.count > 1 { bytes.removeLast() }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
