import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("What goes wrong")
struct HTTPErrorTests {
  private func failure(
    _ request: HTTPRequest, within milliseconds: Int64 = 20_000, tick: (() -> Bool)? = nil
  ) -> HTTPError? {
    HTTPClient().failure(of: request, within: milliseconds, tick: tick)
  }

  @Test("a port where nobody listens cannot be connected")
  func refused() {
    guard case .cannotConnect(let text) = failure(ask("http://127.0.0.1:\(freePort())/v1", "fixed")) else {
      Issue.record("not cannotConnect")
      return
    }
    #expect(text.contains("127.0.0.1"))
  }

  @Test("a host that does not exist cannot be connected")
  func unknownHost() {
    guard case .cannotConnect(let text) = failure(ask("http://nowhere.invalid/v1", "fixed")) else {
      Issue.record("not cannotConnect")
      return
    }
    #expect(text.contains("nowhere.invalid"))
  }

  @Test(
    "what is no http or https URL is refused",
    arguments: [
      "", "nonsense", "127.0.0.1/v1", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://", "http:///v1", "https://?x",
      "http://127.0.0.1:99999/", "http://127.0.0.1:port/", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y",
      "http://127.0.0.1/\u{0}", "http://[::1/", "gopher://127.0.0.1:70/",
    ])
  func badURL(url: String) {
    guard case .invalidURL = failure(HTTPRequest(method: "GET", url: url)) else {
      Issue.record("not invalidURL")
      return
    }
  }

  @Test(
    "headers that would change the request around them are refused",
    arguments: [
      HTTPHeader("X-A", "b\r\nX-C: d"), HTTPHeader("X-A", "b\nc"), HTTPHeader("X-A", "b\u{0}c"),
      HTTPHeader("X-A\r\nX-B", "c"),
      HTTPHeader("X A", "b"), HTTPHeader("", "b"), HTTPHeader("X-A:", "b"), HTTPHeader("X-A;", ""),
      HTTPHeader("content-length", "1"), HTTPHeader("Transfer-Encoding", "chunked"),
      HTTPHeader("Expect", "100-continue"),
    ])
  func badHeader(header: HTTPHeader) throws {
    let server = try ModelServer()
    guard case .failed(let text) = failure(ask(server.base, "fixed", headers: [header])) else {
      Issue.record("not failed")
      return
    }
    #expect(!text.utf8.contains { $0 < 0x20 })
    #expect(try server.observed().requests == 0)
  }

  @Test("a method that is no word is refused", arguments: ["", "GET /x", "GET\r\n", "G\u{0}T"])
  func badMethod(method: String) {
    guard case .failed = failure(HTTPRequest(method: method, url: "http://127.0.0.1:\(freePort())/")) else {
      Issue.record("not failed")
      return
    }
  }

  @Test("a connection that ends too early is broken", arguments: ["hangup", "half", "garbage"])
  func broken(model: String) throws {
    let server = try ModelServer()
    guard case .broken(let text) = failure(ask(server.base, model)) else {
      Issue.record("not broken")
      return
    }
    #expect(!text.isEmpty)
  }

  @Test(
    "an answer beyond the limit is refused, whether it says so first or just goes on",
    arguments: ["huge:20000", "endless"])
  func tooLarge(model: String) throws {
    let server = try ModelServer()
    #expect(failure(ask(server.base, model, maximumResponseBytes: 10_000)) == .tooLarge(10_000))
  }

  @Test("an answer of exactly the limit is taken")
  func exactlyLargeEnough() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let size = try client.send(ask(server.base, "fixed")).body.count
    #expect(try client.send(ask(server.base, "fixed", maximumResponseBytes: size)).body.count == size)
    #expect(failure(ask(server.base, "fixed", maximumResponseBytes: size - 1)) == .tooLarge(size - 1))
  }

  @Test(
    "the deadline ends a request, and the host sees the connection close",
    arguments: ["hang", "drip:100", "slow:10000"])
  func deadline(model: String) throws {
    let server = try ModelServer()
    let time = milliseconds { #expect(failure(ask(server.base, model), within: 200) == .timedOut) }
    #expect(time >= 195)
    #expect(time < 1_500)
    #expect(try server.observed { $0.disconnects.count == 1 }.disconnects.map(\.model) == [model])
  }

  @Test("after the deadline nothing is sent")
  func pastDeadline() throws {
    let server = try ModelServer()
    #expect(failure(ask(server.base, "fixed"), within: 0) == .timedOut)
    #expect(try server.observed().requests == 0)
  }

  @Test("a host that does not finish the handshake is given up after the time for connecting")
  func connectTimeout() {
    let listener = Listener(backlog: 8)
    var request = ask("https://127.0.0.1:\(listener.port)/v1", "fixed")
    request.connectTimeoutMilliseconds = 200
    let time = milliseconds {
      guard case .cannotConnect = failure(request) else {
        Issue.record("not cannotConnect")
        return
      }
    }
    #expect(time >= 195)
    #expect(time < 2_000)
  }

  @Test("tick is asked at least every 50 ms on the caller's thread, and can end the request")
  func tick() throws {
    let server = try ModelServer()
    var times: [Date] = [Date()]
    let thread = pthread_self()
    let error = failure(ask(server.base, "hang")) {
      #expect(pthread_equal(thread, pthread_self()) != 0)
      times.append(Date())
      return times.count <= 8
    }
    #expect(error == .abandoned)
    let gaps = zip(times.dropFirst(2), times.dropFirst()).map { $0.timeIntervalSince($1) * 1000 }
    // The median, so that a busy machine is no failure.
    #expect(gaps.sorted()[gaps.count / 2] < 60)
    #expect(try server.observed { $0.disconnects.count == 1 }.disconnects.count == 1)
  }

  @Test("a tick that agrees changes nothing")
  func tickAgrees() throws {
    let server = try ModelServer()
    let ticks = Shared(0)
    let response = try HTTPClient().send(ask(server.base, "slow:300")) {
      ticks.change { $0 += 1 }
      return true
    }
    #expect(response.status == 200)
    #expect(ticks.value >= 3)
  }

  @Test("no text of an error holds the user name or password of a URL")
  func userInfo() throws {
    let server = try ModelServer()
    let port = freePort()
    let urls = [
      "http://anna:s3cret@127.0.0.1:\(port)/v1", "http://anna:s3cret@nowhere.invalid/v1", "ftp://anna:s3cret@host/",
      "http://anna:s3cret@", "http://anna:s3cret@127.0.0.1:bad/", "http://anna:s3/cret@127.0.0.1:\(port)/",
      "http://anna:s3cret@127.0.0.1:\(server.port)/v1",
    ]
    for url in urls {
      let error = try #require(failure(ask(url, "hangup")))
      let text = "\(error)"
      #expect(!text.contains("s3") && !text.contains("cret") && !text.contains("anna"), "\(text)")
    }
  }
}
