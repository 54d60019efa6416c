import MusterJSON
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("The REST service")
struct RoutingTests {
  let bench: ServiceBench

  init() throws { bench = try ServiceBench() }

  // MARK: - Routes

  @Test("reaches each operation that has a path, by its method and its path")
  func reaches() throws {
    let routes = Routes(OperationTable.all)
    for operation in OperationTable.all where !operation.path.isEmpty {
      let segments = operation.path.split(separator: "/").map { $0.hasPrefix("{") ? "x y/z" : String($0) }
      let match = try #require(routes.match(segments))
      guard case .operation(let found) = match.route.target(operation.method) else {
        Issue.record("\(operation.name) is not reached")
        continue
      }
      #expect(found.name == operation.name)
      #expect(match.route.pattern == operation.path)
      let parameters = operation.parameters.filter { $0.location == .path }.map { $0.name }
      #expect(match.parameters.map { $0.name } == parameters)
      #expect(match.parameters.allSatisfy { $0.value == "x y/z" })
    }
  }

  @Test("puts a fixed segment before a parameter")
  func fixedFirst() throws {
    let id = try bench.agent()
    #expect(bench.send("GET", "/v1/agents/full").json["total"]?.int64 == 1)
    #expect(bench.send("GET", "/v1/agents/\(id)").json["id"]?.isString(id) == true)
  }

  @Test(
    "answers 404 to a path that it does not know", arguments: ["/v1", "/v1/agent", "/v1/agents/a/b/c", "/v2/agents"])
  func unknownPath(path: String) {
    let answer = bench.send("GET", path)
    #expect(answer.status == 404)
    #expect(answer.text == #"{"detail":"Not Found"}"#)
  }

  @Test("answers 405 to a method that the path does not have, and names those that it has")
  func otherMethod() {
    let answer = bench.send("DELETE", "/v1/agents")
    #expect(answer.status == 405)
    #expect(answer.text == #"{"detail":"Method Not Allowed"}"#)
    #expect(answer.header("Allow") == "GET, POST, HEAD, OPTIONS")
    #expect(bench.answer("POST", "/health").status == 405)
    #expect(bench.send("get", "/v1/agents").status == 405)
    #expect(bench.send("TRACE", "/v1/agents").status == 405)
  }

  @Test("answers HEAD as it answers GET")
  func head() throws {
    let id = try bench.agent()
    let answer = bench.send("HEAD", "/v1/agents/\(id)")
    #expect(answer.status == 200)
    #expect(answer.body == bench.send("GET", "/v1/agents/\(id)").body)
    #expect(bench.send("HEAD", "/v1/agents/none").status == 404)
    #expect(bench.send("HEAD", "/v1/agents/\(id)/invoke").status == 405)
  }

  @Test("answers OPTIONS with the methods of the path, also without a key")
  func options() {
    let answer = bench.answer("OPTIONS", "/v1/agents/any")
    #expect(answer.status == 204)
    #expect(answer.header("Allow") == "GET, PATCH, PUT, DELETE, HEAD, OPTIONS")
    #expect(answer.body.isEmpty)
    #expect(bench.answer("OPTIONS", "/health").header("Allow") == "GET, HEAD, OPTIONS")
  }

  @Test("refuses what is no form of invoking")
  func methods() throws {
    let id = try bench.agent()
    let body = #"{"input":{"text":"hello"}}"#
    for path in ["async", "stream"] {
      #expect(bench.send("GET", "/v1/agents/\(id)/invoke/\(path)").status == 405)
      #expect(bench.answer("POST", "/v1/agents/\(id)/invoke/\(path)", body).status == 401)
    }
    #expect(bench.send("POST", "/v1/agents/\(id)/invoke?asynchronous=false", body).status == 200)
    #expect(bench.send("GET", "/v1/tasks").json["total"]?.int64 == 1)
  }

  // MARK: - Who asks

  @Test("answers 401 in the documented words without a valid key")
  func withoutKey() {
    let wrong = String(bench.key.dropLast()) + (bench.key.hasSuffix("0") ? "1" : "0")
    for headers in [[], [("x-api-key", "")], [("x-api-key", wrong)], [("authorization", "Bearer \(bench.key)")]] {
      let answer = bench.answer("GET", "/v1/agents", headers: headers)
      #expect(answer.status == 401)
      #expect(answer.text == #"{"detail":"Invalid or missing API key"}"#)
    }
    #expect(bench.answer("GET", "/v1/agents", headers: [("X-API-Key", bench.key)]).status == 200)
    #expect(bench.answer("GET", "/health").text == "\"ok\"")
  }

  @Test("echoes the id of a request that can stand in a line, and makes one otherwise")
  func requestID() {
    let given = bench.answer("GET", "/health", headers: [("x-REQUEST-id", "abc-123")])
    #expect(given.header("X-Request-Id") == "abc-123")
    for bad in ["", "a b", "a\r\nb", String(repeating: "x", count: 129), "é"] {
      let made = bench.answer("GET", "/nowhere", headers: [("X-Request-Id", bad)])
      #expect(made.header("X-Request-Id")?.utf8.count == 36)
    }
  }

  @Test("tells records the pattern of the path and the key, not what the request carried")
  func facts() throws {
    let facts = bench.send("GET", "/v1/agents/none?x=1").facts
    #expect(facts.route == "/v1/agents/{agent_id}")
    #expect(facts.operation == "agents.get")
    #expect(facts.organizationID == bench.plane.host.organizationID)
    #expect(bench.key.contains(try #require(facts.keyID)))
    #expect(bench.answer("GET", "/v1/agents").facts.keyID == nil)
    #expect(bench.answer("GET", "/health").facts.route == "/health")
    #expect(bench.send("GET", "/v1/none").facts.route == nil)
  }
}
