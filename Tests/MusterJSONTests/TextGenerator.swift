import TestSupport

/// Makes JSON texts, well-formed ones and broken ones.
struct TextGenerator {
  private var random: SeededGenerator
  private var text: [UInt8] = []

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A well-formed text (but for numbers that are too large, now and then) with blanks, escapes and keys that repeat.
  mutating func wellFormed() -> [UInt8] {
    text = []
    blanks()
    if random.once(in: 40) {
      let depth = 100 + random.below(60)
      let isArray = random.once(in: 2)
      for _ in 0..<depth { text += Array((isArray ? "[" : "{\"a\":").utf8) }
      value(depth: 0)
      for _ in 0..<depth { text += Array((isArray ? "]" : "}").utf8) }
    } else {
      value(depth: random.below(6))
    }
    blanks()
    return text
  }

  /// A well-formed text with a few changes.
  mutating func mutated() -> [UInt8] {
    var text = wellFormed()
    for _ in 0...random.below(3) { mutate(&text) }
    return text
  }

  /// The content of a string.
  mutating func content() -> [UInt8] {
    var content: [UInt8] = []
    for _ in 0..<random.below(12) {
      switch random.below(4) {
      case 0: content.append(UInt8(1 + random.below(127)))
      case 1: content += Array(random.pick(["\"", "\\", "/", "\u{7f}", "\u{8}", "\r\n", "\t", "\u{1}", "\u{1f}"]).utf8)
      default: content += Array(random.pick(Self.pieces).utf8)
      }
    }
    return content
  }

  private static let pieces = [
    "a", "key", " ", "plain words of some length", "é", "ß", "\u{7ff}", "\u{800}", "\u{ffff}", "\u{2028}", "漢字", "🚀",
    "\u{10ffff}",
    "\u{d7ff}", "\u{e000}", "\u{feff}",
  ]
  private static let escapes = [
    "\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\u0061", "\\u00e9", "\\u20AC", "\\ud83d\\ude80",
    "\\uD7FF", "\\uE000", "\\u001f", "\\uffff",
  ]
  private static let numbers = [
    "0", "-0", "7", "-1", "10", "123456789", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "-9223372036854775809", "12345678901234567890", "1.5", "-0.25", "0.0", "-0.0", "1e5", "1E+5", "2.5e-3", "1e308",
    "1e309",
    "-1e309", "1e-400", "1.7976931348623157e308", "1.7976931348623159e308", "0e999", "1e0000001",
    "100000000000000000000.0",
    "3.141592653589793238462643383279", "4.9e-324",
  ]
  private static let fragments = [
    "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\u0041", "\\u12", "\\x", "\\", "\"", "{", "}", "[", "]", ":", ",", "01",
    "-", "+1",
    ".5", "1.", "1e", "1e+", "tru", "nul", "NaN", "Infinity", "true", "\u{feff}", "//", "'", "\u{0}", "\n", "\u{b}",
    "\u{c}", "\u{a0}",
    "\u{7f}", "\u{1f}", "1e999",
  ]

  private mutating func blanks() {
    guard random.once(in: 3) else { return }
    for _ in 0...random.below(3) { text.append(random.pick([0x20, 0x09, 0x0a, 0x0d])) }
  }

  private mutating func value(depth: Int) {
    switch depth == 0 ? 4 + random.below(6) : random.below(10) {
    case 0, 1: object(depth: depth)
    case 2, 3: array(depth: depth)
    case 4: text += Array(random.pick(["true", "false", "null"]).utf8)
    case 5, 6: text += Array(random.pick(Self.numbers).utf8)
    default: string()
    }
  }

  private mutating func object(depth: Int) {
    text.append(UInt8(ascii: "{"))
    blanks()
    // Now and then so many that keys are looked up in another way.
    let count = random.once(in: 30) ? 30 + random.below(40) : random.below(5)
    for index in 0..<count {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      blanks()
      if random.once(in: 3) {
        text += Array(random.pick(["\"a\"", "\"\\u0061\"", "\"b\"", "\"\"", "\"é\"", "\"\\u00e9\""]).utf8)
      } else if random.once(in: 3) {
        string()
      } else {
        text += Array("\"key\(random.below(count * 8))\"".utf8)
      }
      blanks()
      text.append(UInt8(ascii: ":"))
      blanks()
      value(depth: depth - 1)
      blanks()
    }
    text.append(UInt8(ascii: "}"))
  }

  private mutating func array(depth: Int) {
    text.append(UInt8(ascii: "["))
    blanks()
    for index in 0..<random.below(5) {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      blanks()
      value(depth: depth - 1)
      blanks()
    }
    text.append(UInt8(ascii: "]"))
  }

  private mutating func string() {
    text.append(UInt8(ascii: "\""))
    for _ in 0..<random.below(6) {
      text += Array(random.once(in: 3) ? random.pick(Self.escapes).utf8 : random.pick(Self.pieces).utf8)
    }
    text.append(UInt8(ascii: "\""))
  }

  private mutating func mutate(_ text: inout [UInt8]) {
    let place = random.below(text.count + 1)
    switch random.below(6) {
    case 0: if place < text.count { text.remove(at: place) }
    case 1: text.insert(UInt8(random.below(256)), at: place)
    case 2: if place < text.count { text[place] = UInt8(random.below(256)) }
    case 3: text.removeSubrange(place...)
    case 4: text.insert(contentsOf: Array(random.pick(Self.fragments).utf8), at: place)
    default:
      let end = min(text.count, place + random.below(12))
      text.insert(contentsOf: text[place..<end], at: random.below(text.count + 1))
    }
  }
}
