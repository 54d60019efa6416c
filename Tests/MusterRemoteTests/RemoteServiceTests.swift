import Foundation
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterRemote

@Suite("Calls of a service elsewhere")
struct RemoteServiceTests {
  private func service(_ server: ScriptedServer, base: String = "", key: String? = "k-1") throws -> RemoteService {
    try RemoteService(address: server.base + base, key: key, log: .none)
  }

  private func request(
    _ method: String = "GET", _ path: String = "/v1/agents", values: [(String, String)] = [],
    query: [(String, String)] = [], body: String? = nil, idempotencyKey: String? = nil
  ) throws -> RemoteRequest {
    RemoteRequest(
      method: method, path: path, pathValues: values.map { (name: $0.0, value: $0.1) },
      query: query.map { (name: $0.0, value: $0.1) }, body: try body.map { try JSON.parse(Array($0.utf8)) },
      idempotencyKey: idempotencyKey)
  }

  private func send(
    _ service: RemoteService, _ request: RemoteRequest, within milliseconds: Int64 = 10_000,
    interrupt: Interrupt = Interrupt()
  ) throws -> RemoteAnswer {
    try service.send(request, deadline: .after(milliseconds: milliseconds), interrupt: interrupt)
  }

  private func error(_ body: () throws -> RemoteAnswer) -> RemoteError? {
    do {
      let answer = try body()
      Issue.record("\(answer)")
      return nil
    } catch {
      return error as? RemoteError
    }
  }

  // MARK: - Requests

  @Test("a call goes below the base, with the key, the body and the idempotency key")
  func request() throws {
    let server = ScriptedServer { _ in .json(201, #"{"id":"a"}"#) }
    let remote = try service(server, base: "/muster///")
    let answer = try send(
      remote,
      try request(
        "POST", "/v1/agents/{agent_id}/invoke", values: [("agent_id", "a b/c?d#e%f\u{e9}+&=")],
        query: [("version", "dr+a ft"), ("page", "2")], body: #"{"name":"caf\u00e9"}"#, idempotencyKey: "once"))
    guard case .success(let text) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(String(decoding: text, as: UTF8.self) == #"{"id":"a"}"#)
    let seen = try #require(server.requests.first)
    #expect(seen.method == "POST")
    #expect(
      seen.target == "/muster/v1/agents/a%20b%2Fc%3Fd%23e%25f%C3%A9%2B%26%3D/invoke?version=dr%2Ba%20ft&page=2")
    #expect(seen.header("x-api-key") == "k-1")
    #expect(seen.header("content-type") == "application/json")
    #expect(seen.header("idempotency-key") == "once")
    #expect(seen.text == #"{"name":"caf\u00e9"}"#)
  }

  @Test(
    "without key, body and idempotency key none of them is sent", arguments: ["GET", "PUT", "PATCH", "DELETE", "POST"])
  func bare(method: String) throws {
    let server = ScriptedServer { _ in .status(204) }
    let answer = try send(try service(server, key: nil), try request(method))
    guard case .success(let text) = answer else {
      Issue.record("\(answer)")
      return
    }
    #expect(String(decoding: text, as: UTF8.self) == "null")
    let seen = try #require(server.requests.first)
    #expect(seen.method == method && seen.target == "/v1/agents" && seen.body.isEmpty)
    for name in ["x-api-key", "content-type", "idempotency-key", "authorization"] { #expect(seen.header(name) == nil) }
  }

  @Test("an id that cannot stand in a path leads to no other resource", arguments: ["", ".", "..", "a\0b"])
  func pathTricks(id: String) throws {
    let server = ScriptedServer { _ in .status(204) }
    let remote = try service(server)
    let found = error { try send(remote, try request("DELETE", "/v1/agents/{agent_id}", values: [("agent_id", id)])) }
    #expect(found == .unaddressable)
    #expect(server.requests.isEmpty)
  }

  @Test(
    "an id that looks like a piece of a path stays one segment", arguments: ["../x", "a/../b", "%2e%2e", "...", "//"])
  func oneSegment(id: String) throws {
    let server = ScriptedServer { _ in .status(204) }
    _ = try send(try service(server), try request("DELETE", "/v1/agents/{agent_id}", values: [("agent_id", id)]))
    let target = try #require(server.requests.first?.target)
    #expect(target.split(separator: "/").count == 3)
    #expect(target.split(separator: "/").last.flatMap { String($0).removingPercentEncoding } == id)
  }

  @Test("reads share a connection; a POST without an idempotency key is never sent twice")
  func repetition() throws {
    let server = ScriptedServer { request in request.target.hasSuffix("/close") ? .close : .status(204) }
    let remote = try service(server)
    for _ in 0..<3 { _ = try send(remote, try request()) }
    _ = try send(remote, try request("POST", idempotencyKey: "k"))
    #expect(server.connections == 1)
    let broken = error { try send(remote, try request("POST", "/v1/close", body: "{}")) }
    guard case .network(_, isTransient: false) = broken else {
      Issue.record("\(String(describing: broken))")
      return
    }
    #expect(server.requests.filter { $0.target == "/v1/close" }.count == 1)
    #expect(server.connections == 2)
  }

  // MARK: - Answers

  @Test(
    "an error document keeps its status and its detail, whatever it is",
    arguments: [400, 401, 403, 404, 409, 422, 500, 503])
  func errors(status: Int) throws {
    for detail in [#""text""#, #"[{"loc":["body","name"],"msg":"m","type":"t"}]"#, #"{"message":"m","task_id":"t"}"#] {
      let server = ScriptedServer { _ in .json(status, #"{"detail":\#(detail)}"#) }
      guard case .failure(let found, let document, let isRetryable) = try send(try service(server), try request())
      else {
        Issue.record("no failure")
        return
      }
      #expect(found == Int32(status))
      #expect(String(decoding: document.bytes, as: UTF8.self) == detail)
      #expect(isRetryable == (status == 503))
    }
  }

  @Test("an error that names a time to wait may be retried")
  func retryAfter() throws {
    let server = ScriptedServer { _ in
      .status(409, headers: [("Retry-After", "1")], body: Data(#"{"detail":"x"}"#.utf8))
    }
    guard case .failure(_, _, isRetryable: true) = try send(try service(server), try request()) else {
      Issue.record("no failure")
      return
    }
  }

  @Test("a redirect is not followed, and the key goes nowhere else", arguments: [301, 302, 303, 307, 308])
  func redirects(status: Int) throws {
    let other = ScriptedServer { _ in .json(200, "{}") }
    let target = other.base
    let server = ScriptedServer { _ in .status(status, headers: [("Location", target + "/v1/agents")]) }
    let remote = try service(server)
    guard case .noService(let text, httpStatus: 502) = error({ try send(remote, try request()) }) else {
      Issue.record("no error")
      return
    }
    #expect(text.contains("redirect") && text.contains("\(status)"))
    #expect(other.requests.isEmpty)
  }

  @Test("what is no such service is told from an error of one")
  func others() throws {
    for (answer, status) in [
      (ScriptedServer.Answer.status(200, body: Data("<html>".utf8)), Int32(502)),
      (.status(404, body: Data("<html>".utf8)), 404), (.json(502, #"{"error":"x"}"#), 502), (.status(500), 500),
      (.json(200, #"{"a":"#), 502),
    ] {
      let server = ScriptedServer { _ in answer }
      let remote = try service(server)
      let found = error { try send(remote, try request()) }
      guard case .noService(let text, httpStatus: status) = found else {
        Issue.record("\(String(describing: found))")
        continue
      }
      #expect(text.contains("127.0.0.1:\(server.port)"))
    }
  }

  @Test("a service that is not there, or breaks off, is a failure of the network")
  func network() throws {
    let gone = ScriptedServer { _ in .close }
    gone.stop()
    usleep(50_000)
    let absent = try service(gone)
    guard case .network(_, isTransient: true) = error({ try send(absent, try request()) }) else {
      Issue.record("no error")
      return
    }
    for answer in [
      ScriptedServer.Answer.close, .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), .raw("hello\r\n\r\n"),
    ] {
      let server = ScriptedServer { _ in answer }
      let remote = try service(server)
      guard case .network(_, isTransient: false) = error({ try send(remote, try request()) }) else {
        Issue.record("\(answer)")
        continue
      }
    }
  }

  @Test("the end of the time and an interrupt end the call at once, and close the connection")
  func ends() throws {
    let server = ScriptedServer { _ in .silence }
    let remote = try service(server)
    let start = Date()
    #expect(error { try send(remote, try request(), within: 100) } == .timedOut)
    let interrupt = Interrupt()
    Thread.detachNewThread {
      usleep(100_000)
      interrupt.fire(.cancelled)
    }
    #expect(error { try send(remote, try request(), interrupt: interrupt) } == .interrupted(.cancelled))
    #expect(Date().timeIntervalSince(start) < 3)
    #expect(server.closed(2))
  }

  // MARK: - Addresses and keys

  @Test(
    "an address that is none is refused, and not shown with its secrets",
    arguments: [
      "", "host", "ftp://host", "http://", "https://host?x=s3cret", "https://host/#s3cret", "https://anna:s3cret@host/",
      "https://anna@host", "http://host/a b", "https://h\u{f6}st/",
    ])
  func badAddress(address: String) {
    do {
      _ = try RemoteService(address: address, key: nil, log: .none)
      Issue.record("it was taken")
    } catch {
      guard case .misuse(let text) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(!text.contains("s3cret"))
    }
  }

  @Test(
    "a key that cannot be sent is refused and not shown", arguments: ["s3 cret", "a\r\nx: y", "k\u{e9}y", "k\u{7f}"])
  func badKey(key: String) {
    do {
      _ = try RemoteService(address: "http://127.0.0.1", key: key, log: .none)
      Issue.record("it was taken")
    } catch {
      guard case .misuse(let text) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(!text.contains(key))
    }
  }

  @Test("plain http to another machine is warned about, and nothing else is")
  func warning() throws {
    final class Lines: @unchecked Sendable { var all: [String] = [] }
    for (address, isWarned) in [
      ("http://muster.example/base", true), ("http://10.0.0.1:8080", true), ("HTTP://localhost.example", true),
      ("https://muster.example", false), ("http://127.0.0.1:9", false), ("http://LOCALHOST", false),
      ("http://[::1]:9/x", false), ("http://127.9.9.9", false),
    ] {
      let lines = Lines()
      _ = try RemoteService(
        address: address, key: "s3cret", log: Log { level, _, line in if level == .warning { lines.all.append(line) } })
      #expect(lines.all.count == (isWarned ? 1 : 0), "\(address)")
      #expect(!lines.all.joined().contains("s3cret"))
    }
  }
}
