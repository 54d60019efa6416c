/// Equality of values as JSON Schema has it: the order of an object's members does not count, 1 equals 1.0, strings
/// are compared by content.
package enum JSONEquality {
  /// Whether two values are equal. Numbers are compared exactly, not as doubles.
  package static func areEqual(_ left: JSON, _ right: JSON) -> Bool {
    left.hasSameBytes(right) || canonical(left) == canonical(right)
  }

  private enum Step {
    case value(Range<Int>)
    case string(Range<Int>)
    case byte(UInt8)
  }

  /// A text that equal values share and different values do not: members sorted by key, strings with no escapes but
  /// for quote and backslash, numbers as exact decimals. It is for comparing only; it is not JSON.
  static func canonical(_ json: JSON) -> [UInt8] {
    let text = json.text
    var canonical: [UInt8] = []
    canonical.reserveCapacity(json.range.count)
    // An explicit stack: a value may be deeper than the caller's thread has room for.
    var steps: [Step] = [.value(json.range)]
    while let step = steps.popLast() {
      switch step {
      case .byte(let byte): canonical.append(byte)
      case .string(let range): append(string: JSON(text: text, range: range), to: &canonical)
      case .value(let range):
        let value = JSON(text: text, range: range)
        switch value.kind {
        case .boolean, .null: canonical.append(contentsOf: value.bytes)
        case .integer, .real: append(number: value, to: &canonical)
        case .string: append(string: value, to: &canonical)
        case .array: push(elementsOf: value, to: &steps)
        case .object: push(membersOf: value, to: &steps)
        }
      }
    }
    return canonical
  }

  private static func append(string json: JSON, to canonical: inout [UInt8]) {
    canonical.append(UInt8(ascii: "\""))
    for byte in json.utf8 ?? [] {
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { canonical.append(UInt8(ascii: "\\")) }
      canonical.append(byte)
    }
    canonical.append(UInt8(ascii: "\""))
  }

  private static func append(number json: JSON, to canonical: inout [UInt8]) {
    let decimal = JSONDecimal(json.bytes)
    if decimal.isNegative { canonical.append(UInt8(ascii: "-")) }
    for digit in decimal.digits { canonical.append(digit + 0x30) }
    canonical.append(UInt8(ascii: "e"))
    canonical.append(contentsOf: JSON.integer(Int64(decimal.exponent)).bytes)
  }

  private static func push(elementsOf json: JSON, to steps: inout [Step]) {
    var cursor = JSONElementCursor(text: json.text, position: json.range.lowerBound + 1, end: json.range.upperBound)
    var inner: [Step] = [.byte(UInt8(ascii: "["))]
    while let element = cursor.next() {
      inner.append(.value(element))
      inner.append(.byte(UInt8(ascii: ",")))
    }
    inner.append(.byte(UInt8(ascii: "]")))
    steps.append(contentsOf: inner.reversed())
  }

  private static func push(membersOf json: JSON, to steps: inout [Step]) {
    var cursor = JSONMemberCursor(text: json.text, position: json.range.lowerBound + 1, end: json.range.upperBound)
    var members: [(content: [UInt8], key: Range<Int>, value: Range<Int>)] = []
    while let member = cursor.next() {
      members.append((JSON(text: json.text, range: member.key).utf8 ?? [], member.key, member.value))
    }
    members.sort { $0.content.lexicographicallyPrecedes($1.content) }
    steps.append(.byte(UInt8(ascii: "}")))
    for member in members.reversed() {
      steps.append(.byte(UInt8(ascii: ",")))
      steps.append(.value(member.value))
      steps.append(.string(member.key))
    }
    steps.append(.byte(UInt8(ascii: "{")))
  }
}
