/// What has to be known about a URL before curl sees it.
package enum HTTPURL {
  /// Checks that a text is an absolute `http` or `https` URL with a host and without blanks or control characters.
  package static func check(_ url: String) throws(HTTPError) {
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw .invalidURL("a URL may have no blanks or control characters")
    }
    guard HTTPText.hasPrefixIgnoringCase(url, "http://") || HTTPText.hasPrefixIgnoringCase(url, "https://") else {
      throw .invalidURL("only http and https URLs are served, and this is none: \(shown(url))")
    }
    guard !host(of: url).isEmpty else { throw .invalidURL("there is no host in \(shown(url))") }
  }

  /// Host and port of an absolute URL, without user name and password; empty when there are none.
  package static func host(of url: String) -> String {
    String(decoding: authority(of: url), as: UTF8.self)
  }

  /// Whether an absolute URL has a user name or password.
  package static func hasUserInfo(_ url: String) -> Bool { wholeAuthority(of: url).contains(UInt8(ascii: "@")) }

  /// Whether the host of an absolute URL is this machine by its very name or address.
  package static func isLoopback(_ url: String) -> Bool {
    guard let host = NetworkHost(host(of: url)) else { return false }
    return host.isLoopback
  }

  private static func authority(of url: String) -> ArraySlice<UInt8> {
    let authority = wholeAuthority(of: url)
    guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return authority }
    return authority[(at + 1)...]
  }

  private static func wholeAuthority(of url: String) -> ArraySlice<UInt8> {
    let bytes = Array(url.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
      return []
    }
    let rest = bytes.dropFirst(colon + 3)
    let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
    return rest[..<(end ?? rest.endIndex)]
  }

  /// A URL for messages: no user name, password, query or fragment, and not longer than 200 bytes.
  package static func shown(_ url: String) -> String {
    let visible = url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    let cleaned = HTTPText.withoutUserInfo(String(decoding: Array(visible), as: UTF8.self))
    return String(decoding: Array(cleaned.utf8.prefix(200)), as: UTF8.self)
  }
}
