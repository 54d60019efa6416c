/// How large a text may be.
package struct JSONLimits: Sendable {
  package var bytes: Int
  package var depth: Int

  package init(bytes: Int, depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// 64 MiB and 128 levels.
  package static let request = JSONLimits(bytes: 67_108_864, depth: 128)
}

extension JSON {
  /// Checks a text and brings it to normal form: blanks between tokens removed; of keys that repeat in an object the
  /// first place and the last value; number lexemes and string escapes kept. Refuses what jansson refuses: invalid
  /// UTF-8, lone surrogates, `\u0000`, integers beyond 64 bits, reals that overflow. Accepts any value at the top.
  package static func parse(_ bytes: [UInt8], limits: JSONLimits = .request) throws(JSONError) -> JSON {
    guard bytes.count <= limits.bytes else {
      throw JSONError(.limit, "text of more than \(limits.bytes) bytes", at: 0, in: [])
    }
    var parser = JSONParser(bytes, limits: limits)
    try parser.run(bytes.span)
    let json = JSON.trusted(parser.finish())
    return parser.hasDuplicates ? JSONDeduplication.withoutDuplicates(json) : json
  }
}

/// One pass over a text: checks it and finds the blanks between tokens.
///
/// The functions that read get the text as a span, which costs no reference counting.
struct JSONParser {
  let bytes: [UInt8]
  private let limits: JSONLimits
  var position = 0
  /// The runs of blanks between tokens, which the normal form leaves out.
  private var blanks: [Range<Int>] = []
  private var open: [Container] = []
  /// The keys of the open objects.
  private var keys: [JSONKey] = []
  private(set) var hasDuplicates = false

  private struct Container {
    let isObject: Bool
    /// Where its keys begin in `keys`.
    let keys: Int
  }

  init(_ bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  private enum Expectation { case value, firstValueOrEnd, firstKeyOrEnd, key, commaOrEnd }

  func failure(_ message: String, _ kind: JSONError.Kind = .syntax, at place: Int? = nil) -> JSONError {
    JSONError(kind, message, at: place ?? position, in: bytes)
  }

  /// The normal form, once `run` has succeeded.
  func finish() -> [UInt8] {
    if blanks.isEmpty { return bytes }
    let text = bytes.span
    var output = [UInt8](repeating: 0, count: blanks.reduce(bytes.count) { $0 - $1.count })
    var written = output.mutableSpan
    var end = 0
    var next = 0
    for blank in blanks {
      for position in next..<blank.lowerBound {
        written[end] = text[position]
        end += 1
      }
      next = blank.upperBound
    }
    for position in next..<text.count {
      written[end] = text[position]
      end += 1
    }
    return output
  }

  @inline(__always)
  private mutating func skipBlanks(_ text: Span<UInt8>) {
    if position < text.count, text[position] <= 0x20 { skipBlankRun(text) }
  }

  private mutating func skipBlankRun(_ text: Span<UInt8>) {
    let start = position
    while position < text.count {
      let byte = text[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { break }
      position += 1
    }
    if start < position { blanks.append(start..<position) }
  }

  /// Reads the whole text, which is the one that the parser was made with.
  mutating func run(_ text: Span<UInt8>) throws(JSONError) {
    var expected = Expectation.value
    while true {
      skipBlanks(text)
      guard position < text.count else { throw failure("unexpected end of text") }
      let byte = text[position]
      switch expected {
      case .firstKeyOrEnd where byte == UInt8(ascii: "}"), .firstValueOrEnd where byte == UInt8(ascii: "]"):
        position += 1
        close()
        expected = .commaOrEnd
      case .firstKeyOrEnd, .key:
        try key(text)
        expected = .value
        continue
      case .value, .firstValueOrEnd:
        expected = try value(byte, text)
      case .commaOrEnd:
        let isObject = open.last?.isObject ?? false
        if byte == UInt8(ascii: ",") {
          position += 1
          expected = isObject ? .key : .value
          continue
        }
        guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
          throw failure(isObject ? "',' or '}' expected" : "',' or ']' expected")
        }
        position += 1
        close()
      }
      if open.isEmpty { break }
    }
    skipBlanks(text)
    guard position == text.count else { throw failure("end of text expected") }
  }

  private mutating func value(_ byte: UInt8, _ text: Span<UInt8>) throws(JSONError) -> Expectation {
    switch byte {
    case UInt8(ascii: "\""): _ = try string(text)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard open.count < limits.depth else { throw failure("nested deeper than \(limits.depth) levels", .limit) }
      position += 1
      open.append(Container(isObject: byte == UInt8(ascii: "{"), keys: keys.count))
      return byte == UInt8(ascii: "{") ? .firstKeyOrEnd : .firstValueOrEnd
    case UInt8(ascii: "-"), 0x30...0x39: try number(text)
    case UInt8(ascii: "t"): try word(text, UInt8(ascii: "r"), UInt8(ascii: "u"), UInt8(ascii: "e"))
    case UInt8(ascii: "f"): try word(text, UInt8(ascii: "a"), UInt8(ascii: "l"), UInt8(ascii: "s"), UInt8(ascii: "e"))
    case UInt8(ascii: "n"): try word(text, UInt8(ascii: "u"), UInt8(ascii: "l"), UInt8(ascii: "l"))
    default: throw failure("value expected")
    }
    return .commaOrEnd
  }

  private mutating func key(_ text: Span<UInt8>) throws(JSONError) {
    guard position < text.count, text[position] == UInt8(ascii: "\"") else {
      throw failure("string or '}' expected")
    }
    let start = position + 1
    let hasEscapes = try string(text)
    keys.append(JSONKey(start..<position - 1, hasEscapes: hasEscapes, in: text))
    skipBlanks(text)
    guard position < text.count, text[position] == UInt8(ascii: ":") else { throw failure("':' expected") }
    position += 1
  }

  /// Ends the innermost container; looks for keys that repeat.
  private mutating func close() {
    guard let container = open.popLast(), container.isObject, container.keys <= keys.count else { return }
    if !hasDuplicates {
      hasDuplicates = JSONDeduplication.hasDuplicates(keys[container.keys...], in: bytes)
    }
    keys.removeLast(keys.count - container.keys)
  }

  /// Reads `true`, `false` or `null`; the first letter has been looked at.
  private mutating func word(
    _ text: Span<UInt8>, _ second: UInt8, _ third: UInt8, _ fourth: UInt8, _ fifth: UInt8? = nil
  ) throws(JSONError) {
    let length = fifth == nil ? 4 : 5
    guard length <= text.count - position, text[position + 1] == second, text[position + 2] == third,
      text[position + 3] == fourth, fifth == nil || text[position + 4] == fifth
    else { throw failure("value expected") }
    position += length
  }
}
