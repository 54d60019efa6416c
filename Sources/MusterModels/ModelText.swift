import MusterHTTP

/// Makes texts from outside fit for a message: one line, short, and without secrets.
enum ModelText {
  static let limit = 200

  /// One line that says who was asked, and what happened.
  static func line(_ request: ModelRequest, _ what: String) -> String {
    let model = shortened(oneLine(request.model), to: 100)
    let endpoint = request.endpoint
    let what = withoutSecrets(what, of: endpoint)
    return oneLine("\(endpoint.provider) model \(model) at \(HTTPURL.host(of: endpoint.base)): \(what)")
  }

  /// A piece of what a provider sent, at most 200 bytes of it.
  static func excerpt(_ bytes: [UInt8], _ endpoint: ModelEndpoint) -> String {
    // Backslashes go, so that no escape hides a key. Only what is clean already is cut: half a key is not found any
    // more.
    let text = String(decoding: bytes.prefix(65_536).filter { $0 != UInt8(ascii: "\\") }, as: UTF8.self)
    return shortened(oneLine(withoutSecrets(text, of: endpoint)), to: limit)
  }

  /// Control characters and what else breaks a line become blanks, many blanks one.
  static func oneLine(_ text: String) -> String {
    var clean = String.UnicodeScalarView()
    var isBlank = true
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case ..<0x21, 0x7f...0xa0, 0x2028, 0x2029:
        if !isBlank { clean.append(" ") }
        isBlank = true
      default:
        clean.append(scalar)
        isBlank = false
      }
    }
    if isBlank, !clean.isEmpty { clean.removeLast() }
    return String(clean)
  }

  static func shortened(_ text: String, to limit: Int) -> String {
    let bytes = Array(text.utf8)
    guard bytes.count > limit else { return text }
    var end = limit
    // Not within a character.
    while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return String(decoding: bytes[..<end], as: UTF8.self) + "…"
  }

  /// The text with `***` for the key and the values of the extra headers, wherever they occur.
  static func withoutSecrets(_ text: String, of endpoint: ModelEndpoint) -> String {
    var secrets: [ArraySlice<UInt8>] = []
    if let key = endpoint.key, key != ModelEndpointResolver.noKey { secrets.append(Array(key.utf8)[...]) }
    for header in endpoint.extraHeaders {
      // `Bearer` and the like are no secret, what follows is.
      let words = Array(header.value.utf8).split(separator: 0x20)
      secrets.append(contentsOf: words.filter { $0.count >= 6 && !$0.elementsEqual("Bearer".utf8) })
    }
    var bytes = Array(text.utf8)
    for secret in secrets where !secret.isEmpty { bytes = replacing(secret, in: bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func replacing(_ secret: ArraySlice<UInt8>, in bytes: [UInt8]) -> [UInt8] {
    guard let first = secret.first else { return bytes }
    var result: [UInt8] = []
    var rest = bytes[...]
    while let place = rest.firstIndex(of: first) {
      result.append(contentsOf: rest[..<place])
      if rest[place...].starts(with: secret) {
        result.append(contentsOf: "***".utf8)
        rest = rest[place...].dropFirst(secret.count)
      } else {
        result.append(first)
        rest = rest[place...].dropFirst()
      }
    }
    result.append(contentsOf: rest)
    return result
  }
}
