import Foundation
import MusterSystem
import TestSupport
import Testing

@testable import MusterHTTP

@Suite("Network policies")
struct NetworkPolicyTests {
  private func ask(_ url: String, _ network: NetworkPolicy, _ client: HTTPClient = HTTPClient()) -> HTTPError? {
    client.failure(of: HTTPRequest(method: "GET", url: url, network: network))
  }

  // MARK: - Refused

  @Test(
    "a public policy refuses this machine, whatever it is called",
    arguments: [
      "127.0.0.1", "localhost", "LOCALHOST", "any.localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
      "[::127.0.0.1]", "2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "017700000001", "127.1", "127.0.1",
      "0.0.0.0",
      "0", "[::]", "127.255.255.254", "%31%32%37.0.0.1",
    ])
  func refused(host: String) throws {
    let server = try ModelServer()
    let found = ask("http://\(host):\(server.port)/observed", .public)
    // A name that this machine does not know, or a notation that curl does not take, leads nowhere either.
    switch found {
    case .forbidden(let named): #expect(named == "\(host):\(server.port)")
    case .cannotConnect where host == "any.localhost" || host.hasPrefix("[::1"): break
    case .invalidURL: #expect(host.hasPrefix("%"))
    default: Issue.record("\(host): \(String(describing: found))")
    }
    #expect(try server.observed().requests == 0)
  }

  @Test("a name of this machine is refused by the address that it leads to")
  func ownName() throws {
    var name = [CChar](repeating: 0, count: 256)
    try #require(gethostname(&name, name.count) == 0)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let server = try ModelServer()
    let found = ask("http://\(host):\(server.port)/observed", .public)
    if case .cannotConnect = found { return }  // a machine that does not know its own name
    #expect(found == .forbidden("\(host):\(server.port)"))
  }

  @Test(
    "private, link-local and metadata addresses are refused before anything is sent to them",
    arguments: [
      "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "169.254.43518", "[fe80::1]",
      "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "224.0.0.1", "255.255.255.255", "192.0.2.1",
    ])
  func refusedAtOnce(host: String) {
    let time = milliseconds { #expect(ask("http://\(host)/", .public) == .forbidden(host)) }
    #expect(time < 5_000)
  }

  @Test("the error names the host as it was written, and not where it leads")
  func noAddress() {
    #expect(ask("http://anna:s3cret@localhost:9/x?y", .public) == .forbidden("localhost:9"))
  }

  @Test("other schemes stay refused")
  func schemes() {
    for url in ["file:///etc/passwd", "gopher://localhost/", "unix:///run/x.sock", "ftp://localhost/"] {
      guard case .invalidURL = ask(url, .public) else {
        Issue.record("\(url)")
        continue
      }
    }
  }

  // MARK: - Allowed

  @Test("loopback is allowed by that word, by a host with its port, and by a host alone")
  func allowed() throws {
    let server = try ModelServer()
    for (host, entries) in [
      ("127.0.0.1", ["loopback"]), ("localhost", ["loopback"]), ("127.1", ["loopback"]),
      ("127.0.0.1", ["127.0.0.1:\(server.port)"]), ("127.0.0.1", ["127.0.0.1"]),
      ("localhost", ["localhost:\(server.port)"]),
      ("LocalHost", ["LOCALHOST"]), ("localhost", ["private", "localhost"]), ("2130706433", ["127.0.0.1"]),
      ("[::ffff:127.0.0.1]", ["127.0.0.1"]), ("127.0.0.1", ["[::ffff:127.0.0.1]:\(server.port)"]),
    ] {
      #expect(
        ask("http://\(host):\(server.port)/observed", try NetworkPolicy(allowing: entries)) == nil, "\(host) \(entries)"
      )
    }
  }

  @Test("what is allowed is allowed for that host and port alone")
  func notAllowed() throws {
    let server = try ModelServer()
    for (host, entries) in [
      ("127.0.0.1", ["private"]), ("127.0.0.1", ["127.0.0.1:\(freePort())"]), ("127.0.0.1", ["localhost"]),
      ("localhost", ["127.0.0.1"]), ("127.0.0.1", ["127.0.0.2"]), ("localhost", ["host"]), ("localhost", ["local"]),
      ("localhost@127.0.0.1", ["localhost"]), ("localhost:80@127.0.0.1", ["localhost", "localhost:80"]),
      ("localhost%00.127.0.0.1", ["localhost"]), ("localhost%23@127.0.0.1", ["localhost"]),
    ] {
      let found = ask("http://\(host):\(server.port)/observed", try NetworkPolicy(allowing: entries))
      switch found {
      case .forbidden, .invalidURL: break
      default: Issue.record("\(host) \(entries): \(String(describing: found))")
      }
    }
    #expect(try server.observed().requests == 0)
  }

  @Test("an open policy asks anybody")
  func open() throws {
    let server = try ModelServer()
    #expect(ask("http://localhost:\(server.port)/observed", .open) == nil)
  }

  // MARK: - Connections and proxies

  @Test("a connection that was made without restriction does not serve a restricted request")
  func keptConnections() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let url = "http://127.0.0.1:\(server.port)/observed"
    #expect(ask(url, .open, client) == nil)
    #expect(ask(url, .public, client) == .forbidden("127.0.0.1:\(server.port)"))
    #expect(ask(url, try NetworkPolicy(allowing: ["loopback"]), client) == nil)
    #expect(ask(url, try NetworkPolicy(allowing: ["private"]), client) == .forbidden("127.0.0.1:\(server.port)"))
    #expect(ask(url, try NetworkPolicy(allowing: ["127.0.0.1"]), client) == nil)
    #expect(ask(url, .public, client) == .forbidden("127.0.0.1:\(server.port)"))
    #expect(ask(url, .open, client) == nil)
    // The first and the last two shared one connection, the request that loopback allowed had its own.
    #expect(descriptors(connectedTo: server.port).count == 2)
    client.close()
  }

  @Test("a request after a refused one finds nothing of the refusal")
  func afterRefusal() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let policy = try NetworkPolicy(allowing: ["loopback"])
    #expect(ask("http://10.0.0.1/", policy, client) == .forbidden("10.0.0.1"))
    #expect(ask("http://127.0.0.1:\(server.port)/observed", policy, client) == nil)
    guard case .cannotConnect = ask("http://127.0.0.1:\(freePort())/", policy, client) else {
      Issue.record("a port where nobody listens is no refusal of the policy")
      return
    }
  }

  @Test("a restricted request goes past proxies; one to a host that is allowed by name takes them")
  func proxies() async {
    await #expect(processExitsWith: .success) {
      let server = try ModelServer()
      setenv("http_proxy", "http://127.0.0.1:\(server.port)", 1)
      setenv("all_proxy", "http://127.0.0.1:\(server.port)", 1)
      for name in ["no_proxy", "NO_PROXY"] { unsetenv(name) }
      func fails(_ url: String, _ network: NetworkPolicy) -> HTTPError? {
        HTTPClient().failure(of: HTTPRequest(method: "GET", url: url, network: network))
      }
      guard fails("http://169.254.169.254/", .public) == .forbidden("169.254.169.254"),
        fails("http://10.0.0.1/", try NetworkPolicy(allowing: ["loopback"])) == .forbidden("10.0.0.1"),
        case .cannotConnect = fails("http://nowhere.invalid/", try NetworkPolicy(allowing: ["loopback"])),
        try server.observed().requests == 0,
        fails("http://nowhere.invalid/observed", try NetworkPolicy(allowing: ["nowhere.invalid"])) == nil
      else { throw ModelServer.Failure(text: "a proxy was asked for what it must not be asked") }
    }
  }

  // MARK: - Texts

  @Test(
    "what is no kind, host or host with a port is refused by name",
    arguments: [
      "", " ", "a b", "host:", "host:0", "host:65536", "host:+80", "host:8x", "a:b:c", "[::1", "::1]", "[::1]x",
      "[::1]:",
      "[host]", "http://host", "host/path", "user@host", "host,other", "*", "*.host", "127.1", "2130706433",
      "0x7f.0.0.1",
      "127.0.0.1.", "10.0.0.0/8", "[fe80::1%eth0]", "Loopback:", "h\u{f6}st",
    ])
  func badEntries(entry: String) {
    #expect(throws: NetworkPolicy.UnknownEntry(entry: entry)) { try NetworkPolicy(allowing: [entry]) }
  }

  @Test("a policy can be written down and read back")
  func texts() throws {
    #expect(NetworkPolicy.open.text == "open")
    #expect(NetworkPolicy.public.text == "public")
    let policy = try NetworkPolicy(
      allowing: ["Models.Example:8080", "private", "loopback", "10.0.0.7", "[FD00::7]:80", "::1", "_a-b"])
    #expect(policy.text == "public,loopback,private,models.example:8080,10.0.0.7,[fd00::7]:80,[::1],_a-b")
    for policy in [policy, .open, .public] {
      let read = try #require(NetworkPolicy(text: policy.text))
      #expect(read == policy)
    }
    for text in ["", "closed", "loopback", "public,", "public,,loopback", "public,a b", "open,loopback"] {
      #expect(NetworkPolicy(text: text) == nil)
    }
  }
}
