import CCurl

/// The 16 bytes of an address; one of IPv4 stands as ::ffff:a.b.c.d.
struct NetworkAddress: Sendable, Equatable {
  let high: UInt64
  let low: UInt64

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The address that a text is: four decimal numbers, or IPv6 without brackets.
  init?(_ text: String) {
    var found = ccurl_address(high: 0, low: 0)
    guard ccurl_address_of(text, &found) else { return nil }
    self.init(high: found.high, low: found.low)
  }

  /// What stands behind an address, as far as is known from the address alone.
  enum Kind: Sendable, Equatable {
    case `public`
    case loopback
    /// Of a network that is somebody's own: RFC 1918, RFC 6598, RFC 4193.
    case `private`
    /// Link-local, multicast, reserved, for documentation, or of a cloud's metadata service. Never allowed as a kind.
    case special
  }

  var kind: Kind {
    if let inner { return NetworkAddress.kind(ofIPv4: inner) }
    if high == 0, low == 1 { return .loopback }
    if NetworkAddress.metadata.contains(self) { return .special }
    // fc00::/7
    if high >> 57 == 0x7e { return .private }
    // Only 2000::/3 is given out. In it are no hosts of the open network: 2001::/23 (Teredo, benchmarks, ORCHID),
    // 2001:db8::/32 and 3fff::/20 (documentation).
    guard high >> 61 == 1, high >> 41 != 0x2001_0000 >> 9, high >> 32 != 0x2001_0db8, high >> 44 != 0x3fff0 else {
      return .special
    }
    return .public
  }

  /// The address of IPv4 that packets to this one end up at, or may do.
  private var inner: UInt32? {
    let last = UInt32(truncatingIfNeeded: low)
    // ::ffff:0:0/96, IPv4-mapped; ::/96, IPv4-compatible, but for :: and ::1.
    if high == 0, low >> 32 == 0xffff { return last }
    if high == 0, low >> 32 == 0, last > 1 { return last }
    // 64:ff9b::/96, the well-known prefix of NAT64.
    if high == 0x0064_ff9b_0000_0000, low >> 32 == 0 { return last }
    // 2002::/16, 6to4.
    if high >> 48 == 0x2002 { return UInt32(truncatingIfNeeded: high >> 16) }
    return nil
  }

  /// Metadata services whose addresses lie in networks that are private or public otherwise.
  private static let metadata: [NetworkAddress] = [
    NetworkAddress(high: 0xfd00_0ec2_0000_0000, low: 0x254),
    NetworkAddress(high: 0xfd20_00ce_0000_0000, low: 0x254),
  ]

  private static func kind(ofIPv4 address: UInt32) -> Kind {
    for entry in table where address >> (32 - entry.bits) == entry.network >> (32 - entry.bits) { return entry.kind }
    return .public
  }

  /// Networks of IPv4 that are not public; the first that fits counts.
  private static let table: [(network: UInt32, bits: UInt32, kind: Kind)] = [
    (0x7f00_0000, 8, .loopback),
    (0x6464_64c8, 32, .special),  // 100.100.100.200, metadata
    (0xa83f_8110, 32, .special),  // 168.63.129.16, metadata
    (0x0a00_0000, 8, .private),
    (0xac10_0000, 12, .private),
    (0xc0a8_0000, 16, .private),
    (0x6440_0000, 10, .private),  // 100.64.0.0, shared with the provider
    (0x0000_0000, 8, .special),  // this host
    (0xa9fe_0000, 16, .special),  // link-local; 169.254.169.254, metadata
    (0xc000_0000, 24, .special),  // 192.0.0.0, protocols
    (0xc000_0200, 24, .special),  // 192.0.2.0, documentation
    (0xc058_6300, 24, .special),  // 192.88.99.0, relays of 6to4
    (0xc612_0000, 15, .special),  // 198.18.0.0, benchmarks
    (0xc633_6400, 24, .special),  // 198.51.100.0, documentation
    (0xcb00_7100, 24, .special),  // 203.0.113.0, documentation
    (0xe000_0000, 3, .special),  // multicast, reserved, broadcast
  ]

  /// Whether a connection to it may be made where these kinds are allowed besides public addresses.
  func isAllowed(by allowances: NetworkAllowances) -> Bool {
    switch kind {
    case .public: return true
    case .loopback: return allowances.contains(.loopback)
    case .private: return allowances.contains(.private)
    case .special: return false
    }
  }
}
