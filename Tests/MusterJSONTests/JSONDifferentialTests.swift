import CJansson
import MusterJSON
import Testing

@Suite("Parser and writer against libjansson")
struct JSONDifferentialTests {
  /// The nesting of a text that jansson has accepted.
  private func depth(_ text: [UInt8]) -> Int {
    var depth = 0
    var deepest = 0
    var isInString = false
    var isEscaped = false
    for byte in text {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      deepest = max(deepest, depth)
    }
    return deepest
  }

  /// Whether the parser agrees with jansson about a text, and what each says if not.
  private func disagreement(_ text: [UInt8]) -> String? {
    let wanted = Jansson.print(text)
    let normal: JSON
    do {
      normal = try JSON.parse(text)
    } catch {
      guard wanted != nil else { return nil }
      // jansson overlooks a zero byte right behind a number, which no JSON text may have.
      if text.contains(0) { return nil }
      if error.kind == .limit, depth(text) > 128 { return nil }
      return "refused: \(error.description)"
    }
    let bytes = Array(normal.bytes)
    guard let wanted else { return "accepted" }
    if depth(text) > 128 { return "accepted, too deep" }
    guard Jansson.print(bytes, flags: Int(JSON_REJECT_DUPLICATES)) == wanted else {
      return "normal form \(String(decoding: bytes, as: UTF8.self))"
    }
    guard (try? JSON.parse(bytes))?.bytes.elementsEqual(bytes) == true else { return "normal form changes again" }
    return nil
  }

  @Test("accepts exactly what jansson accepts, and keeps its meaning", arguments: 1...8)
  func sameAnswers(seed: Int) {
    var generator = TextGenerator(seed: UInt64(seed))
    var accepted = 0
    for round in 0..<4_000 {
      let text = round % 3 == 0 ? generator.wellFormed() : generator.mutated()
      if let disagreement = disagreement(text) {
        Issue.record("\(disagreement) for \(String(decoding: text, as: UTF8.self)) \(text)")
        return
      }
      if Jansson.print(text) != nil { accepted += 1 }
    }
    // The comparison is worth something only with enough of both.
    #expect(accepted > 1_000 && accepted < 3_500)
  }

  @Test("writes strings as jansson prints them")
  func sameStrings() {
    var generator = TextGenerator(seed: 99)
    for _ in 0..<4_000 {
      let content = generator.content()
      var writer = JSONWriter()
      writer.value(utf8: content)
      #expect(writer.bytes == Jansson.print(string: content))
      #expect(writer.json.utf8 == content)
    }
    for scalar in (1...0x2ff).compactMap(Unicode.Scalar.init) {
      let content = String(Character(scalar))
      #expect(Array(JSON.string(content).bytes) == Jansson.print(string: Array(content.utf8)))
    }
  }
}
