import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

/// Each of these runs in a process of its own, since it changes the environment.
@Suite("Variables of the environment")
struct HTTPEnvironmentTests {
  @Test("a server is trusted when SSL_CERT_FILE names its authority")
  func certificateFile() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let client = HTTPClient()
      for _ in 0..<3 { try must(try client.send(ask(server.base, "fixed")).status == 200) }
      try must(try server.observedOverTLS(client).contains(#""connections":1"#))
    }
  }

  @Test("CURL_CA_BUNDLE comes before SSL_CERT_FILE")
  func bundle() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", "/nowhere.pem", 1)
      setenv("CURL_CA_BUNDLE", certificates.authority, 1)
      try must(try HTTPClient().send(ask(server.base, "fixed")).status == 200)
    }
  }

  @Test("a server is trusted when its authority lies in SSL_CERT_DIR")
  func certificateFolder() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_DIR", try certificates.hashedFolder(), 1)
      try must(try HTTPClient().send(ask(server.base, "fixed")).status == 200)
    }
  }

  @Test("a server that nobody vouches for, or that has another name, gets nothing")
  func untrusted() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      try must(isUntrusted(HTTPClient(), server))
      setenv("SSL_CERT_FILE", "/nowhere.pem", 1)
      try must(isUntrusted(HTTPClient(), server))

      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let other = try ModelServer(certificates.arguments(host: "10.1.2.3"))
      let client = HTTPClient()
      try must(isUntrusted(client, other))
      try must(try client.send(ask(server.base, "fixed")).status == 200)
    }
  }

  @Test("a TLS connection that the host closes is replaced unseen, and no SIGPIPE reaches the process")
  func closedTLS() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      signal(SIGPIPE, SIG_DFL)
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let client = HTTPClient()
      for _ in 0..<20 {
        try must(try client.send(ask(server.base, "stale")).status == 200)
        try must(try client.send(ask(server.base, "once")).status == 200)
      }
      client.close()
    }
  }

  @Test("an interrupt ends a request over TLS at once")
  func interruptedTLS() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let interrupt = Interrupt()
      after(milliseconds: 300) { interrupt.fire(.stopped) }
      var error: HTTPError?
      let time = milliseconds { error = HTTPClient().failure(of: ask(server.base, "hang"), interrupt: interrupt) }
      try must(error == .interrupted(.stopped))
      try must(time < 1_000)
    }
  }

  @Test("http_proxy is used, and no_proxy leaves it out")
  func proxy() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let server = try ModelServer()
      setenv("http_proxy", "http://127.0.0.1:\(server.port)", 1)
      let response = try HTTPClient().send(ask("http://nowhere.invalid/v1", "reply:by proxy"))
      try must(response.text.contains("by proxy"))
      try must(try server.observed().lastTarget == "http://nowhere.invalid/v1/chat/completions")

      setenv("http_proxy", "http://127.0.0.1:\(freePort())", 1)
      setenv("no_proxy", "127.0.0.1", 1)
      try must(try HTTPClient().send(ask(server.base, "fixed")).status == 200)
    }
  }

  @Test("a proxy that cannot be used is an error without its password", arguments: ["http", "foo"])
  func badProxy(scheme: String) async {
    await #expect(processExitsWith: .success) { [scheme] in
      clearEnvironment()
      setenv("https_proxy", "\(scheme)://anna:s3cret@127.0.0.1:\(freePort())", 1)
      let found = HTTPClient().failure(of: ask("https://nowhere.invalid/v1", "fixed"))
      guard case .cannotConnect(let text) = found else {
        throw ModelServer.Failure(text: "\(String(describing: found))")
      }
      try must(!text.contains("s3cret") && !text.contains("anna"))
    }
  }
}

/// Removes what the machine may have set.
private func clearEnvironment() {
  for name in ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"] { unsetenv(name) }
  for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
    unsetenv(name)
    unsetenv(name.uppercased())
  }
}

/// Ends the process with an error when something is not so.
private func must(_ condition: Bool, line: Int = #line) throws {
  if !condition { throw ModelServer.Failure(text: "not so: line \(line)") }
}

private func isUntrusted(_ client: HTTPClient, _ server: ModelServer) -> Bool {
  guard case .untrusted = client.failure(of: ask(server.base, "fixed")) else { return false }
  return true
}

extension ModelServer {
  fileprivate func observedOverTLS(_ client: HTTPClient) throws -> String {
    try client.send(HTTPRequest(method: "GET", url: "https://127.0.0.1:\(port)/observed")).text
  }
}

/// A certificate authority for one test, and what it signs.
private final class Certificates {
  private let folder: TemporaryFolder
  var authority: String { folder.path + "/ca.pem" }

  init() throws {
    folder = try TemporaryFolder()
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=Tests", "-keyout", "ca.key", "-out", "ca.pem")
  }

  /// The arguments of a model server with a certificate for `host`.
  func arguments(host: String) throws -> [String] {
    let name = folder.path + "/" + host
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(host)", "-keyout",
      "\(name).key", "-out", "\(name).csr")
    try "subjectAltName=IP:\(host)\n".write(toFile: "\(name).ext", atomically: true, encoding: .utf8)
    try openssl(
      "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
      "-extfile", "\(name).ext", "-out", "\(name).pem")
    return ["--tls-cert", "\(name).pem", "--tls-key", "\(name).key"]
  }

  /// A folder as SSL_CERT_DIR wants it.
  func hashedFolder() throws -> String {
    let path = folder.path + "/authorities"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: authority, toPath: path + "/ca.pem")
    try openssl("rehash", path)
    return path
  }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ModelServer.Failure(text: "openssl \(arguments.joined(separator: " "))")
    }
  }
}
