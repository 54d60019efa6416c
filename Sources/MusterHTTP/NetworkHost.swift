import CCurl

/// A host by its name or address, with a port, or for all of its ports.
struct NetworkHost: Sendable, Equatable {
  /// In lower-case letters; an address is written as one.
  private let name: String
  private let address: NetworkAddress?
  private let port: UInt16?

  /// Reads `HOST` or `HOST:PORT`; an address of IPv6 with a port has brackets. Nil when it is neither.
  init?(_ text: String) {
    var host = Array(text.utf8)[...]
    var port: UInt16?
    let colons = host.count { $0 == UInt8(ascii: ":") }
    let isBracketed = host.first == UInt8(ascii: "[")
    if isBracketed || colons == 1, let colon = host.lastIndex(of: UInt8(ascii: ":")),
      !isBracketed || host.lastIndex(of: UInt8(ascii: "]")).map({ $0 < colon }) ?? false
    {
      let digits = host[(colon + 1)...]
      guard digits.first.map({ $0 != UInt8(ascii: "0") && $0 != UInt8(ascii: "+") }) ?? false,
        let number = UInt16(String(decoding: digits, as: UTF8.self))
      else { return nil }
      port = number
      host = host[..<colon]
    }
    if isBracketed {
      guard host.count > 2, host.last == UInt8(ascii: "]") else { return nil }
      host = host.dropFirst().dropLast()
    }
    let name = String(decoding: host.map { HTTPText.lowered($0) }, as: UTF8.self)
    let address = NetworkAddress(name)
    guard address != nil || !isBracketed && NetworkHost.isName(name) else { return nil }
    self.init(name: name, address: address, port: port)
  }

  private init(name: String, address: NetworkAddress?, port: UInt16?) {
    self.name = name
    self.address = address
    self.port = port
  }

  /// Letters, digits, `-`, `_` and dots, and at least one letter: what is digits and dots alone, or a number with
  /// `0x`, would be an address in a notation that has many readings.
  private static func isName(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 253 else { return false }
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): continue
      default: return false
      }
    }
    let last = text.utf8.split(separator: UInt8(ascii: ".")).last
    return last?.first.map { $0 < 0x30 || $0 > 0x39 } ?? false
  }

  /// Where a request to this URL goes, as curl reads it; nil when curl cannot. libcurl is loaded.
  static func of(url: String) -> NetworkHost? {
    var text = [CChar](repeating: 0, count: Int(CCURL_HOST_SIZE))
    var port: UInt16 = 0
    guard ccurl_url_host(url, &text, &port) else { return nil }
    var bytes = text.prefix { $0 != 0 }.map { HTTPText.lowered(UInt8(bitPattern: $0)) }[...]
    if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") { bytes = bytes.dropFirst().dropLast() }
    let name = String(decoding: bytes, as: UTF8.self)
    return NetworkHost(name: name, address: NetworkAddress(name), port: port)
  }

  /// Whether what is said of this host holds for the other one, too.
  func includes(_ other: NetworkHost) -> Bool {
    guard port == nil || port == other.port else { return false }
    if let address { return address == other.address }
    return name == other.name
  }

  /// Whether it is this machine by its very name or address.
  var isLoopback: Bool { address.map { $0.kind == .loopback } ?? (name == "localhost") }

  /// As it was read, in lower-case letters.
  var text: String {
    let host = name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name
    return port.map { "\(host):\($0)" } ?? host
  }
}
