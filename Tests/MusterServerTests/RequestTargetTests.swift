import MusterServer
import Testing

@Suite("The target of a request")
struct RequestTargetTests {
  private func parse(_ text: String) throws(RequestTarget.Problem) -> RequestTarget {
    try RequestTarget(Array(text.utf8))
  }

  @Test("is taken apart at slashes, and percent-encoding is resolved afterwards")
  func segments() throws {
    #expect(try parse("/v1/agents").segments == ["v1", "agents"])
    #expect(try parse("/v1/tasks/a%2Fb%20c").segments == ["v1", "tasks", "a/b c"])
    #expect(try parse("/").segments == [])
  }

  @Test("may name scheme and host, as proxies are asked")
  func absolute() throws {
    #expect(try parse("http://example.org:8080/v1/agents?page=2") == parse("/v1/agents?page=2"))
    #expect(try parse("HTTPS://example.org") == parse("/"))
    #expect(try parse("http://example.org?a=b") == parse("/?a=b"))
    #expect(throws: RequestTarget.Problem.path) { try parse("ftp://example.org/v1/agents") }
    #expect(throws: RequestTarget.Problem.path) { try parse("v1/agents") }
  }

  @Test("gives the parameters of its query in order")
  func query() throws {
    let target = try parse("/v1/agents?page=2&name=a+b%26c&flag&page=3#part")
    #expect(target.query.map(\.name) == ["page", "name", "flag", "page"])
    #expect(target.query.map(\.value) == ["2", "a b&c", "", "3"])
  }

  @Test(
    "is refused when it could mean another path",
    arguments: ["", "v1", "//v1", "/v1/../keys", "/v1/%2e%2e/keys", "/v1/", "/a b"])
  func tricks(text: String) {
    #expect(throws: RequestTarget.Problem.path) { try parse(text) }
  }

  @Test("is refused when an escape is broken or is no text")
  func escapes() {
    #expect(throws: RequestTarget.Problem.encoding) { try parse("/v1/%4") }
    #expect(throws: RequestTarget.Problem.encoding) { try parse("/v1/%zz") }
    #expect(throws: RequestTarget.Problem.text) { try parse("/v1/%ff") }
    #expect(throws: RequestTarget.Problem.text) { try parse("/v1/%00") }
  }
}
