import MusterJSON
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("The Python client's own routes")
struct ClientRouteTests {
  let bench: ServiceBench
  let organization: String

  init() throws {
    bench = try ServiceBench()
    organization = bench.plane.host.organizationID
  }

  private var prefixes: [String] {
    ["", "/None", "/\(organization)", "/agent-controller/None", "/agent-controller/\(organization)"]
  }

  private static func filled(_ path: String) -> String {
    path.split(separator: "/").map { "/" + ($0.hasPrefix("{") ? "x" : $0) }.joined()
  }

  private func key(_ body: String) throws -> (name: String, value: String) {
    let made = JSON.trusted(
      try bench.plane.call("keys.create", Arguments(body: .trusted(Array(body.utf8)))))
    return ("x-api-key", try #require(made["key"]?.string))
  }

  /// A key of another organization, and an agent of that.
  private func foreign() throws -> (key: (name: String, value: String), agent: String) {
    let key = try key(#"{"name":"other","organization_id":"other"}"#)
    let made = bench.answer("POST", "/v1/agents", #"{"name":"Theirs"}"#, headers: [key])
    return (key, try #require(made.json["id"]?.string))
  }

  private func run(_ agent: String, _ body: String = #"{"input":{"text":"hello"}}"#) throws -> String {
    try #require(bench.send("POST", "/agent-execution/\(agent)", body).json["id"]?.string)
  }

  private static func ids(_ answer: RESTAnswer) -> [String] { answer.json.elements.compactMap { $0["id"]?.string } }

  // MARK: - Paths

  @Test("each route leads to its operation at each place where the surface begins")
  func reaches() throws {
    #expect(ClientRoutes.active.count == 9)
    for prefix in ClientRoutes.prefixes {
      for route in ClientRoutes.active {
        let destination = try Destination(Array(ClientRouteTests.filled(prefix + route.path).utf8))
        guard case .client(let found)? = destination.match?.route.target(route.method) else {
          Issue.record("\(prefix)\(route.path) is not reached")
          continue
        }
        #expect(found.operation.name == route.operation.name && found.path == route.path)
        #expect(destination.match?.route.pattern == prefix + route.path)
        #expect(destination.needsKey)
      }
    }
  }

  @Test("a documented route that does nothing yet is refused with 501 by its name, and needs a key")
  func inactive() throws {
    for prefix in prefixes {
      for route in ClientRoutes.inactive {
        let path = prefix + ClientRouteTests.filled(route.path)
        let answer = bench.send(route.method, path)
        #expect(answer.status == 501, "\(path)")
        #expect(answer.json["detail"]?.string?.hasPrefix("\(route.method) \(route.path) ") == true)
        #expect(bench.answer(route.method, path).status == 401)
      }
    }
    // As the client asks for it.
    #expect(bench.send("GET", "/\(organization)/events/x/?environment=local&supports_llm_gateway=true").status == 501)
  }

  @Test("a fixed segment goes before a parameter, and a task may be called like one")
  func fixedFirst() throws {
    let agent = try bench.agent()
    _ = try run(agent, #"{"id":"executions","input":{"text":"hello"}}"#)
    #expect(bench.send("GET", "/agent-execution/executions/status").json["id"]?.isString("executions") == true)
    #expect(bench.send("GET", "/agents/list").json.kind == .array)
    #expect(bench.send("GET", "/agent-execution/executions/history/user/nobody").text == "[]")
    #expect(bench.send("GET", "/agent-execution/executions/history/user").status == 404)
  }

  @Test("empty segments are not counted here, and nowhere else")
  func slashes() throws {
    for path in ["//agents/list", "/agents//list", "/agents/list/", "//\(organization)//agents/list//"] {
      #expect(bench.send("GET", path).status == 200, "\(path)")
    }
    for path in ["//v1/agents", "/v1//agents", "/v1/agents/", "//health", "/health/", "//", "/agents/./list"] {
      let answer = bench.send("GET", path)
      #expect(answer.status == 404 && answer.facts.route == nil, "\(path)")
    }
  }

  @Test(
    "other paths stay unknown, also without a key",
    arguments: ["/", "/agents", "/agents/list/all/of/them", "/None/health", "/a/b/agents/list", "/agent-execution"])
  func unknown(path: String) {
    for answer in [bench.send("GET", path), bench.answer("GET", path)] {
      #expect(answer.status == 404)
      #expect(answer.text == #"{"detail":"Not Found"}"#)
    }
  }

  @Test("what the service answers elsewhere is what it was")
  func elsewhere() {
    #expect(bench.answer("GET", "/health").text == "\"ok\"")
    #expect(bench.answer("GET", "/docs").status == 200)
    #expect(bench.answer("GET", "/openapi.json").status == 200)
    #expect(bench.answer("GET", "/openapi.json").json["paths"]?["/agents/list"] == nil)
    #expect(bench.send("GET", "/v1/agents").json["items"]?.kind == .array)
    #expect(bench.send("GET", "/v1/agents/list").status == 404)
  }

  @Test(
    "only what needs no key is answered on the thread of all connections",
    arguments: [
      ("/health", false), ("/docs", false), ("/openapi.json", false), ("/metrics", false), ("/metrics?x", false),
      ("/", false), ("/nowhere", false), ("/%zz", false), ("/agents/list", true), ("//None/agents/list", true),
      ("/agents/x", true), ("/%61gents/list", true), ("/x/agents/list?a=b", true), ("/agent-execution/x/events", true),
      ("/v1/agents", true), ("/%761/agents", true), ("/v%31/none", true),
    ])
  func needsKey(target: String, wanted: Bool) {
    #expect(Destination.needsKey(Array(target.utf8)) == wanted)
  }

  @Test("answers OPTIONS, HEAD and other methods as the documented routes do")
  func methods() throws {
    let agent = try bench.agent()
    let options = bench.answer("OPTIONS", "/None/agent-execution/x")
    #expect(options.status == 204 && options.header("Allow") == "POST, DELETE, OPTIONS")
    let other = bench.send("PUT", "/agents/\(agent)")
    #expect(other.status == 405 && other.header("Allow") == "GET, HEAD, OPTIONS")
    #expect(bench.answer("PUT", "/agents/\(agent)").status == 401)
    let head = bench.send("HEAD", "/agents/\(agent)")
    #expect(head.status == 200 && head.body == bench.send("GET", "/agents/\(agent)").body)
  }

  @Test("tells records the pattern of the path and the operation")
  func facts() {
    let facts = bench.send("GET", "/\(organization)/agents/none").facts
    #expect(facts.route == "/{organization_id}/agents/{agent_id}")
    #expect(facts.operation == "agents.get")
    #expect(facts.organizationID == organization && facts.keyID != nil)
  }

  // MARK: - Who asks

  @Test("answers 401 without a valid key, and 403 where the path names another organization")
  func organizations() throws {
    let agent = try bench.agent()
    for prefix in prefixes {
      #expect(bench.send("GET", "\(prefix)/agents/\(agent)").status == 200)
      #expect(bench.answer("GET", "\(prefix)/agents/\(agent)").status == 401)
      #expect(bench.answer("GET", "\(prefix)/agents/\(agent)", headers: [("x-api-key", "wrong")]).status == 401)
    }
    let foreign = try foreign()
    for prefix in ["/other", "/agent-controller/other", "/none", "/%20"] {
      for path in ["/agents/list", "/agents/\(agent)", "/agents/\(foreign.agent)", "/agents/x/db"] {
        let answer = bench.send("GET", prefix + path)
        #expect(answer.status == 403)
        #expect(answer.text == #"{"detail":"API key belongs to another organization"}"#)
      }
    }
    #expect(bench.send("POST", "/other/agent-execution/\(agent)", #"{"input":{"text":"x"}}"#).status == 403)
    #expect(bench.answer("GET", "/other/agents/\(foreign.agent)", headers: [foreign.key]).status == 200)
  }

  @Test("what belongs to another organization is refused as on the documented routes")
  func foreignResources() throws {
    let foreign = try foreign()
    let task = try run(try bench.agent())
    for (method, path) in [
      ("GET", "/agents/\(foreign.agent)"), ("POST", "/agent-execution/\(foreign.agent)"),
      ("GET", "/agent-execution/executions/history/\(foreign.agent)"),
    ] {
      #expect(bench.send(method, path, #"{"input":{"text":"x"}}"#).status == 403, "\(path)")
    }
    for (method, path) in [("GET", "/agent-execution/\(task)/status"), ("DELETE", "/agent-execution/\(task)")] {
      #expect(bench.answer(method, path, headers: [foreign.key]).status == 403)
      #expect(bench.send(method, path.replacing(task, with: "none")).text == #"{"detail":"Task not found"}"#)
    }
    #expect(bench.answer("GET", "/agents/list", headers: [foreign.key]).json.elements.count == 1)
    #expect(bench.send("GET", "/agents/none").text == #"{"detail":"Agent not found"}"#)
  }

  @Test("a key that is limited to agents, or to reading, is here, too")
  func limitedKeys() throws {
    let mine = try bench.agent()
    let other = try bench.agent()
    let task = try run(other)
    let body = #"{"input":{"text":"x"}}"#
    let limited = try key(#"{"name":"k","agents":["\#(mine)"]}"#)
    #expect(ClientRouteTests.ids(bench.answer("GET", "/agents/list", headers: [limited])) == [mine])
    #expect(bench.answer("POST", "/agent-execution/\(mine)", body, headers: [limited]).status == 200)
    for (method, path) in [
      ("GET", "/agents/\(other)"), ("POST", "/agent-execution/\(other)"), ("GET", "/agent-execution/\(task)/status"),
      ("DELETE", "/agent-execution/\(task)"), ("GET", "/agent-execution/executions/history/\(other)"),
    ] {
      #expect(bench.answer(method, path, body, headers: [limited]).status == 403, "\(method) \(path)")
    }
    let reader = try key(#"{"name":"k","read_only":true}"#)
    #expect(bench.answer("GET", "/agent-execution/\(task)/status", headers: [reader]).status == 200)
    #expect(bench.answer("POST", "/agent-execution/\(mine)", body, headers: [reader]).status == 403)
    #expect(bench.answer("DELETE", "/agent-execution/\(task)", headers: [reader]).status == 403)
  }

  // MARK: - Agents

  @Test("the list of agents is an array of all their short forms, newest first")
  func agentsList() throws {
    #expect(bench.send("GET", "/agents/list").text == "[]")
    var made: [String] = []
    for _ in 0..<55 { made.insert(try bench.agent(), at: 0) }
    let answer = bench.send("GET", "/agents/list?page=2&per_page=1")
    #expect(ClientRouteTests.ids(answer) == made)
    let page = bench.send("GET", "/v1/agents?per_page=50").json["items"]?.elements ?? []
    #expect(page.count == 50)
    for (item, other) in zip(answer.json.elements, page) { #expect(item.hasSameBytes(other)) }
  }

  @Test("an agent is what the documented route gives, without credentials and without an environment that is null")
  func agent() throws {
    let made = bench.send(
      "POST", "/v1/agents", #"{"name":"A","llm_credentials":{"name":"n","value":"secret"},"more":null}"#)
    let id = try #require(made.json["id"]?.string)
    let answer = bench.send("GET", "/agents/\(id)").json
    #expect(answer["llm_credentials"]?.isNull == true)
    #expect(answer["more"]?.isNull == true)
    let names = made.json.members.map { $0.key }.filter { $0 != "environment_id" }
    #expect(answer.members.map { $0.key } == names)
    for member in answer.members where member.key != "llm_credentials" {
      #expect(made.json[member.key]?.hasSameBytes(member.value) == true, "\(member.key)")
    }
    #expect(bench.send("PATCH", "/v1/agents/\(id)", #"{"environment_id":"e"}"#).status == 200)
    #expect(bench.send("GET", "/agents/\(id)").json["environment_id"]?.isString("e") == true)
  }

  @Test("a version of an agent is given when it is the current one")
  func agentVersion() throws {
    let id = try bench.agent()
    #expect(bench.send("PUT", "/v1/agents/\(id)").json["version"]?.int64 == 3)
    for (version, status) in [("3", 200), ("draft", 200), ("", 200), ("2", 404), ("4", 404)] {
      let answer = bench.send("GET", "/agents/\(id)", headers: [("X-Agent-Version", version)])
      #expect(answer.status == status, "\(version)")
      #expect(status == 200 || answer.text == #"{"detail":"Agent version not found"}"#)
    }
    for version in ["1.0", "-3", "latest", "99999999999999999999"] {
      let answer = bench.send("GET", "/agents/\(id)", headers: [("x-agent-version", version)])
      #expect(answer.status == 422)
      let place = answer.json["detail"]?.elements.first?["loc"]?.elements.map { $0.string }
      #expect(place == ["header", "x-agent-version"])
    }
  }

  // MARK: - Tasks

  /// What the client sends when it is told no more than agent and prompt.
  private static let plainBody = """
    {"id":null,"input":{"text":"hello","files":[],"user":null},"payload_extension":null,"source":null,"worker_id":null,\
    "output_format":null,"output_schema":null,"run_locally":false,"events_streaming":false,"additional_context":null,\
    "instructions_override":null,"test_run_node_id":null,"user_oidc_token":null,"expected_output":null,"mcp_servers":[],\
    "triggering_agent_id":null,"title":null,"think_mode":"default","disable_attachment_injection":false,\
    "tool_call_limit":null,"user_tokens":null,"return_metrics":false,"llm_model_provider":null,"llm_model_name":null,\
    "llm_reasoning_effort":null,"harness_cli":null,"permission_mode":null}
    """

  @Test("a new task is answered finished, whatever the client sends as null")
  func create() throws {
    let agent = try bench.agent()
    for body in [
      ClientRouteTests.plainBody, ClientRouteTests.plainBody.replacing(#""files":[]"#, with: #""files":null"#),
    ] {
      let answer = bench.send("POST", "/None/agent-execution/\(agent)", body)
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.json["status"]?.isString("completed") == true)
      #expect(answer.json["result"]?.isString("echo: hello") == true)
      #expect(answer.json["source"]?.string != nil)
      let id = try #require(answer.json["id"]?.string)
      let status = bench.send("GET", "/agent-execution/\(id)/status")
      #expect(status.json.hasSameBytes(bench.send("GET", "/v1/tasks/\(id)").json))
    }
  }

  @Test("what does nothing yet, and what is wrong, is refused as on the documented route")
  func createRefused() throws {
    let agent = try bench.agent()
    for (field, other) in [
      (#""run_locally":false"#, #""run_locally":true"#), (#""worker_id":null"#, #""worker_id":"w""#),
      (#""think_mode":"default""#, #""think_mode":"harder""#),
      (#""permission_mode":null"#, #""permission_mode":"gated""#),
      (#""files":[]"#, #""files":["http://127.0.0.1/f"]"#),
    ] {
      let body = ClientRouteTests.plainBody.replacing(field, with: other)
      #expect(bench.send("POST", "/agent-execution/\(agent)", body).status == 501, "\(other)")
    }
    #expect(bench.send("POST", "/agent-execution/\(agent)").status == 422)
    #expect(bench.send("POST", "/agent-execution/\(agent)", "{").status == 422)
    #expect(bench.send("POST", "/agent-execution/none", ClientRouteTests.plainBody).status == 404)
    #expect(bench.send("GET", "/agent-execution/executions/history/\(agent)").text == "[]")
  }

  @Test("a task runs the version that the header names")
  func createVersion() throws {
    let agent = try bench.agent()
    #expect(bench.send("PATCH", "/v1/agents/\(agent)", #"{"model_name":"fixed"}"#).status == 200)
    for (version, result) in [("", "echo: hello"), ("2", "echo: hello"), ("draft", "Hello from the model.")] {
      let answer = bench.send(
        "POST", "/agent-execution/\(agent)", ClientRouteTests.plainBody, headers: [("x-agent-version", version)])
      #expect(answer.json["result"]?.isString(result) == true, "\(version): \(answer.text)")
      #expect(answer.json["agent_version"]?.string == (version.isEmpty ? nil : version))
    }
    for (version, status) in [("9", 404), ("1.0", 422)] {
      let answer = bench.send(
        "POST", "/agent-execution/\(agent)", ClientRouteTests.plainBody, headers: [("x-agent-version", version)])
      #expect(answer.status == status)
    }
  }

  @Test("an idempotency key counts as on the documented route, at whatever place the surface begins")
  func idempotency() throws {
    let agent = try bench.agent()
    let key = (name: "Idempotency-Key", value: "once")
    let body = #"{"input":{"text":"hello"}}"#
    let ids = ["", "/None", "/agent-controller/\(organization)"].map {
      bench.send("POST", "\($0)/agent-execution/\(agent)", body, headers: [key]).json["id"]?.string
    }
    #expect(ids[0] != nil && Set(ids).count == 1)
    #expect(bench.send("POST", "/v1/agents/\(agent)/invoke", body, headers: [key]).json["id"]?.string == ids[0])
    #expect(bench.send("POST", "/agent-execution/\(agent)", body, headers: [("idempotency-key", "")]).status == 422)
    // Where nothing is posted, it says nothing.
    let task = try #require(ids[0])
    #expect(bench.send("DELETE", "/agent-execution/\(task)", headers: [("idempotency-key", "")]).status == 200)
  }

  @Test("DELETE stops a task and gives it")
  func stop() throws {
    let task = try run(try bench.agent())
    let answer = bench.send("DELETE", "/agent-execution/\(task)")
    #expect(answer.status == 200)
    #expect(answer.json["id"]?.isString(task) == true)
    #expect(bench.send("GET", "/agent-execution/\(task)/status").status == 200)
  }

  @Test("histories are arrays of the tasks that match, the last changed first")
  func histories() throws {
    let agent = try bench.agent()
    let other = try bench.agent()
    let user = #"{"input":{"text":"x","user":{"id":"u1","email":"u@example.com"}}}"#
    let first = try run(agent)
    let second = try run(agent, user)
    let third = try run(other, user)
    func list(_ path: String) -> [String] {
      ClientRouteTests.ids(bench.send("GET", "/agent-execution/executions/history/\(path)"))
    }
    #expect(list(agent) == [second, first])
    #expect(list("\(agent)?user_id=&status=&parent_task_id=&internal_status=&page=7") == [second, first])
    #expect(list("\(agent)?user_id=u1") == [second])
    #expect(list("\(agent)?status=stopped") == [])
    #expect(list("user/u1") == [third, second])
    #expect(list("user/u1?user_id=u2&status=completed") == [third, second])
    #expect(list("user/u1?parent_task_id=\(first)") == [])
    #expect(bench.send("GET", "/agent-execution/executions/history/\(agent)?status=running").status == 422)
    #expect(bench.send("GET", "/agent-execution/executions/history/none").status == 404)
    let item = try #require(bench.send("GET", "/agent-execution/executions/history/\(agent)").json.elements.first)
    #expect(item.hasSameBytes(try #require(bench.send("GET", "/v1/agents/\(agent)/tasks").json["items"]?.elements[0])))
  }
}
