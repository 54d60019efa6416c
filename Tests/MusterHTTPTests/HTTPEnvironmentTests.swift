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

private func isUntrusted(_ client: HTTPClient, _ server: ModelServer) -> Bool {
  guard case .untrusted = client.failure(of: ask(server.base, "fixed")) else { return false }
  return true
}

extension ModelServer {
  fileprivate func observedOverTLS(_ client: HTTPClient) throws -> String {
    try client.send(HTTPRequest(method: "GET", url: "https://127.0.0.1:\(port)/observed")).text
  }
}
