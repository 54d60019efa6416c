import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("What is sent and what comes back")
struct HTTPExchangeTests {
  let server: ModelServer
  let client = HTTPClient()

  init() throws { server = try ModelServer() }

  @Test("an answer comes with its status, headers and body")
  func answer() throws {
    let response = try client.send(ask(server.base, "reply:good day"))
    #expect(response.status == 200)
    #expect(response.header("content-TYPE") == "application/json")
    #expect(response.header("X-Nothing") == nil)
    #expect(response.text.contains(#""content":"good day""#))
  }

  @Test("headers go out as they are, an empty one too, and nothing is made up about the body")
  func headers() throws {
    _ = try client.send(
      ask(server.base, "fixed", headers: [HTTPHeader("X-One", "1; two"), HTTPHeader("X-Empty", "")]))
    var seen = try #require(try server.observed().lastHeaders)
    #expect(seen["x-one"] == "1; two")
    #expect(seen["x-empty"] == "")
    #expect(seen["content-type"] == "application/json")

    let bare = HTTPRequest(
      method: "POST", url: "\(server.base)/chat/completions", body: [UInt8](repeating: 0x20, count: 3))
    #expect(try client.send(bare).status == 400)
    seen = try #require(try server.observed().lastHeaders)
    #expect(seen["content-type"] == nil)
    #expect(seen["content-length"] == "3")
  }

  @Test("a large body is sent at once, without asking first")
  func largeBody() throws {
    let body =
      #"{"model":"fixed","messages":[{"role":"user","content":"\#(String(repeating: "x", count: 3_000_000))"}]}"#
    let request = HTTPRequest(method: "POST", url: "\(server.base)/chat/completions", body: Array(body.utf8))
    #expect(try client.send(request).status == 200)
    let seen = try #require(try server.observed().lastHeaders)
    #expect(seen["expect"] == nil)
    #expect(seen["content-length"] == "\(body.utf8.count)")
  }

  @Test("other methods work")
  func methods() throws {
    let list = try client.send(HTTPRequest(method: "GET", url: "\(server.base)/models"))
    #expect(list.status == 200)
    #expect(list.text.contains(#""object":"list""#))
    // The server knows no DELETE, and says so.
    #expect(try client.send(HTTPRequest(method: "DELETE", url: "\(server.base)/models")).status == 501)
  }

  @Test("a failure of the host is an answer", arguments: [400, 404, 429, 500, 503])
  func statuses(status: Int) throws {
    let response = try client.send(ask(server.base, "status:\(status):7"))
    #expect(response.status == status)
    #expect(response.header("Retry-After") == "7")
    #expect(response.text.contains("status \(status) on demand"))
  }

  @Test("a redirect is an answer and is not followed")
  func redirect() throws {
    let response = try client.send(ask(server.base, "redirect"))
    #expect(response.status == 307)
    #expect(response.header("Location") == "/v1/models")
    #expect(try server.observed().requests == 1)
  }

  @Test("an interim answer is passed over, and chunks are put together")
  func interim() throws {
    let response = try client.send(ask(server.base, "interim"))
    #expect(response.status == 200)
    #expect(response.header("Link") == nil)
    #expect(response.header("X-Final") == "yes")
    #expect(response.text.contains(#""content":"at last""#))
  }

  @Test("an answer of many megabytes arrives whole")
  func largeAnswer() throws {
    let response = try client.send(ask(server.base, "huge:5000000", maximumResponseBytes: 6_000_000))
    #expect(response.text.contains(String(repeating: "x", count: 5_000_000)))
  }

  @Test("the version of libcurl is known")
  func version() throws {
    let version = try #require(HTTPClient.libraryVersion)
    #expect(version.split(separator: ".").count == 3)
  }
}
