import MusterAPI

/// Where a server listens: `ADDRESS:PORT`, `[IPV6]:PORT` or `unix:PATH`.
package enum ListenAddress: Sendable, Equatable {
  case tcp(host: String, port: UInt16, isIPv6: Bool)
  case unix(path: String)

  /// Reads the text of the option; nil when it is none of the three. Addresses are numeric, except for `localhost`.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard !bytes.contains(0) else { return nil }
    if bytes.starts(with: "unix:".utf8) {
      let path = String(decoding: bytes.dropFirst(5), as: UTF8.self)
      guard !path.isEmpty else { return nil }
      self = .unix(path: path)
      return
    }
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")),
      let port = UInt16(String(decoding: bytes[(colon + 1)...], as: UTF8.self)),
      bytes[(colon + 1)...].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
    else { return nil }
    var host = bytes[..<colon]
    var isIPv6 = false
    if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count > 2 {
      host = host.dropFirst().dropLast()
      isIPv6 = true
    } else if host.contains(UInt8(ascii: ":")) || host.isEmpty {
      return nil
    }
    let name = String(decoding: host, as: UTF8.self)
    self = .tcp(host: name == "localhost" ? "127.0.0.1" : name, port: port, isIPv6: isIPv6)
  }

  /// How clients name it.
  func url(port: UInt16, isSecure: Bool) -> String {
    switch self {
    case .tcp(let host, _, let isIPv6):
      return "\(isSecure ? "https" : "http")://\(isIPv6 ? "[\(host)]" : host):\(port)"
    case .unix(let path): return "unix:\(path)"
    }
  }
}

extension ListenAddress {
  /// The port that was asked for; 0 lets the kernel choose, and for paths.
  var port: UInt16 {
    switch self {
    case .tcp(_, let port, _): return port
    case .unix: return 0
    }
  }
}
