import MusterJSON
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("The arguments of a request")
struct RequestArgumentTests {
  let bench: ServiceBench

  init() throws { bench = try ServiceBench() }

  /// The one problem of an answer that must be 422: place, words and type.
  private func problem(_ answer: RESTAnswer) throws -> String {
    #expect(answer.status == 422)
    let problems = answer.json["detail"]?.elements ?? []
    #expect(problems.count == 1)
    let first = try #require(problems.first)
    #expect(first.members.map { $0.key } == ["loc", "msg", "type"])
    let place = first["loc"].map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
    return "\(place) \(first["msg"]?.string ?? "") \(first["type"]?.string ?? "")"
  }

  // MARK: - Bodies

  @Test("lack a body when it is empty or null")
  func withoutBody() throws {
    for body in ["", "null"] {
      #expect(try problem(bench.send("POST", "/v1/agents", body)) == #"["body"] field required value_error.missing"#)
    }
  }

  @Test("have an object as their body", arguments: ["[]", "1", "\"x\"", "true"])
  func noObject(body: String) throws {
    let found = try problem(bench.send("POST", "/v1/agents", body))
    #expect(found == #"["body"] value is not a valid dict type_error.dict"#)
  }

  @Test(
    "have JSON as their body, whatever its type is called",
    arguments: [("{", 1), ("{\"name\":}", 8), ("name=A", 0), ("{\"name\":\"\u{1}\"}", 9), ("{\"name\":\"A\"} x", 13)])
  func noJSON(body: String, position: Int) throws {
    let found = try problem(bench.send("POST", "/v1/agents", body))
    #expect(found.hasPrefix("[\"body\",\(position)] "))
    #expect(found.hasSuffix(" value_error.jsondecode"))
    let typed = bench.send("POST", "/v1/agents", #"{"name":"A"}"#, headers: [("Content-Type", "text/plain")])
    #expect(typed.status == 201)
  }

  @Test("have UTF-8 as their body")
  func noText() throws {
    let request = RESTRequest(
      method: "POST", target: Array("/v1/agents".utf8), headers: [("x-api-key", bench.key)],
      body: Array(#"{"name":""#.utf8) + [0xff] + Array(#""}"#.utf8))
    #expect(try problem(bench.service.answer(request)).hasSuffix(" value_error.jsondecode"))
  }

  @Test("have a body that is not too deep")
  func deep() {
    let body = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    #expect(bench.send("POST", "/v1/agents", #"{"name":"A","x":\#(body)}"#).status == 413)
  }

  @Test("ignore a body that the operation does not have")
  func unwanted() {
    #expect(bench.send("GET", "/v1/agents", "{{{").status == 200)
  }

  // MARK: - Parameters

  @Test(
    "of the query are refused with their place when they are of another type",
    arguments: [
      ("page=x", #"["query","page"] value is not a valid integer type_error.integer"#),
      ("page=", #"["query","page"] value is not a valid integer type_error.integer"#),
      ("page=1.0", #"["query","page"] value is not a valid integer type_error.integer"#),
      ("page=99999999999999999999", #"["query","page"] value is not a valid integer type_error.integer"#),
      (
        "page=0",
        #"["query","page"] ensure this value is greater than or equal to 1 value_error.number.not_ge"#
      ),
      (
        "per_page=51",
        #"["query","per_page"] ensure this value is less than or equal to 50 value_error.number.not_le"#
      ),
    ])
  func integers(query: String, wanted: String) throws {
    #expect(try problem(bench.send("GET", "/v1/agents?\(query)")) == wanted)
  }

  @Test("of the query can be flags in the words of the documented service")
  func flags() throws {
    let id = try bench.agent()
    for word in ["true", "1", "YES", "on", "t", "y"] {
      #expect(
        bench.send("PATCH", "/v1/agents/\(id)?deploy=\(word)", #"{"name":"B"}"#).json["has_pending_changes"]?.bool
          == false)
    }
    for word in ["false", "0", "no", "Off", "f", "n"] {
      #expect(
        bench.send("PATCH", "/v1/agents/\(id)?deploy=\(word)", #"{"name":"C"}"#).json["has_pending_changes"]?.bool
          == true)
    }
    #expect(
      try problem(bench.send("PATCH", "/v1/agents/\(id)?deploy=maybe", #"{"name":"D"}"#))
        == #"["query","deploy"] value could not be parsed to a boolean type_error.bool"#)
  }

  @Test("take the last of several with one name, and ignore unknown ones")
  func several() {
    let page = bench.send("GET", "/v1/agents?page=x&page=2&other=%20&per_page=7").json
    #expect(page["page"]?.int64 == 2)
    #expect(page["per_page"]?.int64 == 7)
  }

  @Test("of the path are any text", arguments: ["slug", "a b", "a+b", "ü/%", "..x", "null", "1"])
  func taskIDs(id: String) throws {
    let agent = try bench.agent()
    let hex = Array("0123456789ABCDEF")
    let encoded = id.utf8.map { "%\(hex[Int($0 >> 4)])\(hex[Int($0 & 15)])" }.joined()
    let answer = bench.send("POST", "/v1/agents/\(agent)/invoke", #"{"id":"\#(id)","input":{"text":"hello"}}"#)
    // A slash cannot be in an id, so that it needs no encoding.
    guard !id.contains("/") else {
      #expect(answer.status == 422)
      #expect(bench.send("GET", "/v1/tasks/\(encoded)").status == 404)
      return
    }
    #expect(answer.status == 200)
    #expect(bench.send("GET", "/v1/tasks/\(encoded)").json["id"]?.isString(id) == true)
    #expect(bench.send("DELETE", "/v1/tasks/\(encoded)").status == 204)
  }

  @Test("are refused with 400 when the target cannot be read")
  func unreadable() {
    #expect(bench.send("GET", "/v1/agents/%zz").status == 400)
    #expect(bench.send("GET", "/v1/agents?page=%ff").status == 400)
    #expect(bench.send("GET", "*").status == 404)
    #expect(bench.send("GET", "/v1/../v1/agents").status == 404)
  }

  // MARK: - Headers

  @Test("have the idempotency key of a POST in a header; for other methods it says nothing")
  func idempotencyKey() throws {
    let headers = [("idempotency-KEY", "k")]
    let first = bench.send("POST", "/v1/agents", #"{"name":"A"}"#, headers: headers)
    #expect(first.status == 201)
    let again = bench.send("POST", "/v1/agents", #"{"name":"A"}"#, headers: headers)
    #expect(again.status == 201)
    #expect(again.body == first.body)
    #expect(bench.send("POST", "/v1/agents", #"{"name":"B"}"#, headers: headers).status == 422)
    #expect(bench.send("GET", "/v1/agents", headers: headers).json["total"]?.int64 == 1)
    #expect(
      try problem(bench.send("POST", "/v1/agents", #"{"name":"A"}"#, headers: [("Idempotency-Key", "")]))
        .hasPrefix(#"["header","Idempotency-Key"] "#))
  }
}
