import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Agents: make, change, deploy, delete")
struct AgentTests {
  @Test("a new agent has every documented key, once, and is active with version 2")
  func create() throws {
    let bench = try Bench(#"{"store":":memory:","user_id":"u-1"}"#)
    let agent = try bench.call("agents.create", #"{"body":{"name":"A","x_future":{"b":1.50,"a":"\u00e9"}}}"#)
    let documented = AgentProperty.all.filter { $0.access != .optional }.map { $0.name }
    #expect(agent.keys == documented + ["x_future"])
    #expect(Set(agent.keys).count == agent.keys.count)
    #expect(agent["status"]?.string == "ACTIVE")
    #expect(agent["version"]?.int64 == 2)
    #expect(agent["has_pending_changes"]?.bool == false)
    #expect(agent["is_latest"]?.bool == true)
    #expect(agent["created_by"]?.string == "u-1")
    #expect(agent["organization_id"]?.string == bench.plane.host.organizationID)
    #expect(agent["model_provider"]?.string == "openai")
    #expect(agent["model_name"]?.string == "gpt-4.1")
    #expect(text(agent["x_future"]) == #"{"b":1.50,"a":"\u00e9"}"#)
    let id = agent["id"]?.string ?? ""
    #expect(agent["webhook_url"]?.string?.contains("agent_id=\(id)") == true)
    #expect(text(try bench.call("agents.get", #"{"agent_id":"\#(id)"}"#)) == text(agent))
  }

  @Test(
    "what the service sets is not taken from a caller",
    arguments: [
      "id", "unique_name", "organization_id", "created_by", "created_at", "version", "is_latest", "has_pending_changes",
      "webhook_url", "origin_template", "agent_id", "deployed_at",
    ])
  func managed(key: String) throws {
    let bench = try Bench()
    let agent = try bench.call("agents.create", #"{"body":{"name":"A","\#(key)":"mine"}}"#)
    #expect(agent[key]?.string != "mine")
    let id = agent["id"]?.string ?? ""
    let changed = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"name":"B","\#(key)":"mine"}}"#)
    #expect(changed["name"]?.string == "B")
    #expect(text(changed[key]) == text(key == "has_pending_changes" ? .boolean(true) : agent[key]))
  }

  @Test("the plane's default model is for agents that name none")
  func defaultModel() throws {
    let bench = try Bench(
      #"{"store":":memory:","default_model":{"provider":"openai_compatible","name":"own","api_base":"http://h/v1"}}"#)
    func model(_ members: String) throws -> String {
      let agent = try bench.call("agents.create", #"{"body":{"name":"A"\#(members)}}"#)
      return "\(agent["model_provider"]?.string ?? "") \(agent["model_name"]?.string ?? "")"
    }
    #expect(try model("") == "openai_compatible own")
    #expect(try model(#","model_name":"mine""#) == "openai_compatible mine")
    #expect(try model(#","model_provider":"openai_compatible""#) == "openai_compatible own")
    #expect(try model(#","model_provider":"openai""#) == "openai gpt-4.1")
    #expect(try model(#","model_provider":null,"model_name":null"#) == "openai_compatible own")
  }

  @Test("a change is staged: the deployed version runs until the next deploy")
  func staged() throws {
    let bench = try Bench()
    let id = try bench.agent("reply:old")
    let staged = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"model_name":"reply:new"}}"#)
    #expect(staged["has_pending_changes"]?.bool == true)
    #expect(staged["version"]?.int64 == 2)
    let asDeployed = try bench.invoke(id)
    #expect(asDeployed["result"]?.string == "old")
    #expect(asDeployed["agent_version"]?.isNull == true)
    let asDraft = try bench.invoke(id, arguments: #"{"version":"draft"}"#)
    #expect(asDraft["result"]?.string == "new")
    #expect(asDraft["agent_version"]?.string == "draft")
    let deployed = try bench.call("agents.deploy", #"{"agent_id":"\#(id)"}"#)
    #expect(deployed["has_pending_changes"]?.bool == false)
    #expect(deployed["version"]?.int64 == 3)
    #expect(try bench.invoke(id)["result"]?.string == "new")
    let earlier = try bench.invoke(id, arguments: #"{"version":2}"#)
    #expect(earlier["result"]?.string == "old")
    #expect(earlier["agent_version"]?.string == "2")
    #expect(try bench.invoke(id, arguments: #"{"version":"0003"}"#)["agent_version"]?.string == "3")
  }

  @Test("an update with deploy is live at once")
  func updateAndDeploy() throws {
    let bench = try Bench()
    let id = try bench.agent("reply:old")
    let changed = try bench.call(
      "agents.update", #"{"agent_id":"\#(id)","deploy":true,"body":{"model_name":"reply:new"}}"#)
    #expect(changed["version"]?.int64 == 3)
    #expect(changed["has_pending_changes"]?.bool == false)
    #expect(try bench.invoke(id)["result"]?.string == "new")
  }

  @Test("a deploy without changes is a new version all the same, and makes the agent active")
  func deploy() throws {
    let bench = try Bench()
    let id = try bench.agent()
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"status":"INACTIVE"}}"#)
    let refused = try bench.failure("agents.invoke", try bench.invocation(id))
    #expect(refused.httpStatus == 400)
    #expect(text(refused.document) == #"{"detail":"Agent is not active"}"#)
    let deployed = try bench.call("agents.deploy", #"{"agent_id":"\#(id)"}"#)
    #expect(deployed["status"]?.string == "ACTIVE")
    #expect(deployed["version"]?.int64 == 3)
    #expect(try bench.invoke(id)["status"]?.string == "completed")
  }

  @Test("a new status acts at once and is no pending change")
  func status() throws {
    let bench = try Bench()
    let id = try bench.agent()
    let changed = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"status":"INACTIVE"}}"#)
    #expect(changed["status"]?.string == "INACTIVE")
    #expect(changed["has_pending_changes"]?.bool == false)
    #expect(try bench.failure("agents.invoke", try bench.invocation(id)).httpStatus == 400)
  }

  @Test("a deploy describes an agent that has no description by its instructions")
  func description() throws {
    let bench = try Bench()
    func described(_ members: String) throws -> String? {
      let id = try bench.agent("echo", members)
      return try bench.call("agents.deploy", #"{"agent_id":"\#(id)"}"#)["description"]?.string
    }
    #expect(try described(#"{"instructions":{"general":"Cooks.\nAnd bakes."}}"#) == "Cooks.")
    #expect(try described(#"{"instructions":{"general":" ","role":["a cook"]}}"#) == "a cook")
    #expect(try described(#"{"instructions":{"goal":["food"]}}"#) == "food")
    #expect(try described("{}") == "")
    #expect(try described(#"{"description":"Mine.","instructions":{"general":"Cooks."}}"#) == "Mine.")
    let long = String(repeating: "\u{e9}", count: 300)
    #expect(try described(#"{"instructions":{"general":"\#(long)"}}"#) == String(repeating: "\u{e9}", count: 200))
  }

  @Test("an object that is given replaces the stored one as a whole, with its inner defaults")
  func replaces() throws {
    let bench = try Bench()
    let id = try bench.agent("echo", #"{"instructions":{"general":"G","role":["r"]}}"#)
    let changed = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"instructions":{"goal":["g"]}}}"#)
    let instructions = try #require(changed["instructions"])
    #expect(instructions["general"]?.string == "")
    #expect(text(instructions["role"]) == "[]")
    #expect(text(instructions["goal"]) == #"["g"]"#)
  }

  @Test("should_reset_graph empties the graph, unless the same change brings one")
  func resetGraph() throws {
    let bench = try Bench()
    let item = #"{"id":"n","item_id":"i","type":"tool","targets":[]}"#
    let id = try bench.agent("echo", #"{"graph":[\#(item)]}"#)
    func graph(_ body: String) throws -> Int? {
      try bench.call("agents.update", #"{"agent_id":"\#(id)","body":\#(body)}"#)["graph"]?.elements.count
    }
    #expect(try graph(#"{"name":"B"}"#) == 1)
    #expect(try graph(#"{"graph":[\#(item),\#(item)],"should_reset_graph":true}"#) == 2)
    #expect(try graph(#"{"should_reset_graph":true}"#) == 0)
    #expect(
      try bench.failure("agents.update", #"{"agent_id":"\#(id)","body":{"should_reset_graph":false}}"#).httpStatus
        == 422)
  }

  @Test("changes that many make at the same time are all made")
  func concurrentChanges() throws {
    let bench = try Bench()
    let id = try bench.agent()
    let keys = (0..<8).map { "k\($0)" }
    let changes = keys.map { key in
      Later {
        for number in 0..<5 {
          _ = try bench.call(
            "agents.update", #"{"agent_id":"\#(id)","body":{"\#(key)":\#(number)},"deploy":\#(number % 2 == 0)}"#)
        }
      }
    }
    for change in changes { try change.value() }
    let agent = try bench.call("agents.get", #"{"agent_id":"\#(id)"}"#)
    #expect(keys.allSatisfy { agent[$0]?.int64 == 4 })
    #expect(agent["version"]?.int64 == 26)
  }

  @Test("a deleted agent is gone with its versions and tasks; one that is not deletable stays")
  func delete() throws {
    let bench = try Bench()
    let id = try bench.agent()
    _ = try bench.invoke(id, #"{"id":"t"}"#)
    #expect(try bench.call("agents.delete", #"{"agent_id":"\#(id)"}"#).isNull)
    #expect(try bench.failure("agents.get", #"{"agent_id":"\#(id)"}"#).httpStatus == 404)
    #expect(try bench.failure("tasks.get", #"{"task_id":"t"}"#).httpStatus == 404)
    #expect(try bench.failure("agents.delete", #"{"agent_id":"\#(id)"}"#).httpStatus == 404)
    let kept = try bench.agent("echo", #"{"deletable":false}"#)
    let refused = try bench.failure("agents.delete", #"{"agent_id":"\#(kept)"}"#)
    #expect(refused.httpStatus == 403)
    #expect(text(refused.document) == #"{"detail":"Agent is not deletable"}"#)
  }

  @Test("deleting an agent ends its runs, and no task is left")
  func deleteRunning() throws {
    let bench = try Bench()
    let id = try bench.agent("hang")
    let run = Later { try bench.invoke(id, #"{"id":"t"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"t"}"#)) != nil }
    let waiting = Later { try bench.invoke(id, #"{"id":"t"}"#) }
    _ = try bench.call("agents.delete", #"{"agent_id":"\#(id)"}"#)
    #expect(try run.failure()?.httpStatus == 404)
    #expect(try waiting.failure()?.httpStatus == 404)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 0)
  }

  @Test("the short form is spliced from the whole one, in its documented order")
  func short() throws {
    let bench = try Bench()
    _ = try bench.agent("echo", #"{"agno_settings":{"coordinate_mode":false},"instructions":{"general":"caf\u00e9"}}"#)
    let item = try #require(try bench.call("agents.list").at("items/0"))
    let whole = try #require(try bench.call("agents.list_full").at("items/0"))
    #expect(
      item.keys == [
        "id", "name", "description", "icon", "status", "organization_id", "deployment_type", "created_at",
        "instructions",
        "model_provider", "model_name", "framework", "type", "llm_api_base", "using_nemo", "is_coordinate_mode",
        "has_pending_changes", "use_oidc_pre_auth", "pre_auth_audiences", "use_oidc_pre_auth_token_for_llm",
        "oidc_pre_auth_token_llm_audience", "oidc_pre_auth_token_mcp_audience",
      ])
    #expect(item["is_coordinate_mode"]?.bool == false)
    for key in item.keys where key != "is_coordinate_mode" { #expect(text(item[key]) == text(whole[key]), "\(key)") }
    #expect(text(item.at("instructions/general")) == #""caf\u00e9""#)
  }

  @Test("pages are cut as asked: newest first, true totals, empty past the end")
  func pages() throws {
    let bench = try Bench()
    let empty = try bench.call("agents.list")
    #expect(text(empty) == #"{"items":[],"total":0,"page":1,"per_page":20,"total_pages":0}"#)
    for index in 0..<5 { _ = try bench.call("agents.create", #"{"body":{"name":"A\#(index)"}}"#) }
    func names(_ arguments: String) throws -> [String] {
      try bench.call("agents.list", arguments)["items"]?.elements.compactMap { $0["name"]?.string } ?? []
    }
    #expect(try names("{}") == ["A4", "A3", "A2", "A1", "A0"])
    #expect(try names(#"{"page":2,"per_page":2}"#) == ["A2", "A1"])
    #expect(try names(#"{"page":3,"per_page":2}"#) == ["A0"])
    let past = try bench.call("agents.list", #"{"page":9223372036854775807,"per_page":50}"#)
    #expect(past["items"]?.elements.count == 0)
    #expect(past["total"]?.int64 == 5)
    #expect(past["total_pages"]?.int64 == 1)
    #expect(try bench.call("agents.list_full", #"{"page":1,"per_page":2}"#)["total_pages"]?.int64 == 3)
  }
}
