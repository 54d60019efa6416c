/// Small things about the texts of HTTP, on bytes: nothing here depends on Unicode or a locale.
package enum HTTPText {
  static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 32 : byte
  }

  /// Whether two texts are the same but for the case of ASCII letters.
  package static func isEqualIgnoringCase(_ left: String.UTF8View, _ right: String.UTF8View) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy { lowered($0) == lowered($1) }
  }

  /// Whether `text` begins with `prefix`, which is in lower case, but for the case of ASCII letters.
  package static func hasPrefixIgnoringCase(_ text: String, _ prefix: String) -> Bool {
    var rest = prefix.utf8[...]
    for byte in text.utf8 {
      guard let wanted = rest.popFirst() else { return true }
      guard lowered(byte) == wanted else { return false }
    }
    return rest.isEmpty
  }

  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    var rest = bytes
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return rest
  }

  /// Whether it can be a method or the name of a header: RFC 9110's token.
  static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: return true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
          UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
          return true
        default: return false
        }
      }
  }

  /// Whether it can be the value of a header: no control character but the tab.
  package static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7f) }
  }

  /// The text with `***` for whatever stands before an `@` in a word, but for a scheme: curl's messages may quote a
  /// URL as it was given.
  package static func withoutUserInfo(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
    var cleaned: [UInt8] = []
    for (index, word) in Array(text.utf8).split(separator: 0x20, omittingEmptySubsequences: false).enumerated() {
      if index > 0 { cleaned.append(0x20) }
      guard let end = word.lastIndex(of: UInt8(ascii: "@")) else {
        cleaned.append(contentsOf: word)
        continue
      }
      let before = word[..<end]
      if let slash = before.firstIndex(of: UInt8(ascii: "/")), before[slash...].starts(with: "//".utf8) {
        cleaned.append(contentsOf: before[...slash])
        cleaned.append(UInt8(ascii: "/"))
      }
      cleaned.append(contentsOf: "***".utf8)
      cleaned.append(contentsOf: word[end...])
    }
    return String(decoding: cleaned, as: UTF8.self)
  }
}
