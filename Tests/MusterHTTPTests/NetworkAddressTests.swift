import Testing

@testable import MusterHTTP

@Suite("Kinds of addresses")
struct NetworkAddressTests {
  private func kind(_ text: String) throws -> NetworkAddress.Kind { try #require(NetworkAddress(text)).kind }

  @Test(
    "what lies in the open network is public",
    arguments: [
      "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
      "128.0.0.0",
      "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255",
      "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
      "223.255.255.255", "168.63.129.15", "2606:4700:4700::1111", "2000::", "2001:200::1", "2001:db7:ffff::",
      "2001:db9::", "2003::1", "3ffe::1", "3fff:1000::", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ])
  func open(text: String) throws {
    #expect(try kind(text) == .public)
    #expect(try #require(NetworkAddress(text)).isAllowed(by: []))
  }

  @Test(
    "loopback, in every form",
    arguments: [
      "127.0.0.1", "127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1",
      "2002:7f00:1::", "2002:7fff:ffff:1:2:3:4:5",
    ])
  func loopback(text: String) throws {
    #expect(try kind(text) == .loopback)
    let address = try #require(NetworkAddress(text))
    #expect(!address.isAllowed(by: []) && !address.isAllowed(by: .private) && address.isAllowed(by: .loopback))
  }

  @Test(
    "networks that are somebody's own, in every form",
    arguments: [
      "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "100.64.0.0",
      "100.127.255.255", "fc00::", "fd00::1", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:10.0.0.1",
      "::192.168.0.1", "64:ff9b::172.16.0.1", "2002:a00:1::1", "2002:c0a8:101::1",
    ])
  func own(text: String) throws {
    #expect(try kind(text) == .private)
    let address = try #require(NetworkAddress(text))
    #expect(!address.isAllowed(by: []) && !address.isAllowed(by: .loopback) && address.isAllowed(by: .private))
  }

  @Test(
    "link-local, metadata, multicast, reserved and documentation addresses are never allowed as a kind",
    arguments: [
      "0.0.0.0", "0.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "100.100.100.200",
      "168.63.129.16", "192.0.0.0", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.0", "198.19.255.255",
      "198.51.100.1", "203.0.113.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::",
      "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::169.254.169.254",
      "64:ff9b:1::1.1.1.1", "2002:a9fe:a9fe::", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "fd00:ec2::254",
      "fd20:ce::254", "2001::1", "2001:0:102:304::", "2001:2::1", "2001:1ff::1", "2001:db8::1", "3fff::1",
      "3fff:fff::1", "100::1", "1::1", "4000::1", "5f00::1", "::ffff:0:127.0.0.1", "::1:0:0:0",
    ])
  func special(text: String) throws {
    #expect(try kind(text) == .special)
    #expect(try !#require(NetworkAddress(text)).isAllowed(by: [.loopback, .private]))
  }
}
