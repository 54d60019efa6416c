import MusterHTTP
import MusterJSON
import Testing

@testable import MusterAPI

@Suite("Templates of agents")
struct TemplateTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private func make(_ members: String) throws -> String {
    try #require(try bench.call("agents.create", #"{"body":\#(members)}"#)["id"]?.string)
  }

  private func export(_ agent: String, _ body: String = #"{"name":"T"}"#) throws -> JSON {
    try bench.call("agents.export", #"{"agent_id":"\#(agent)","body":\#(body)}"#)
  }

  private func load(_ template: JSON, _ body: String = #"{"name":"I"}"#) throws -> JSON {
    let id = template["id"]?.string ?? ""
    return try bench.call("agents.import", #"{"template_id":"\#(id)","body":\#(body)}"#)
  }

  private func get(_ agent: String) throws -> JSON { try bench.call("agents.get", #"{"agent_id":"\#(agent)"}"#) }

  private func item(_ agent: String, _ id: String, targets: String = "[]") -> String {
    #"{"id":"\#(id)","item_id":"\#(agent)","type":"agent","targets":\#(targets)}"#
  }

  @Test("a template has the configuration of the working copy, and never changes")
  func snapshot() throws {
    let id = try make(
      #"{"name":"A","icon":"🦊","instructions":{"role":["r"],"goal":[],"general":"g"},"model_name":"m","output_format":"json"}"#
    )
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"description":"staged"}}"#)
    let template = try export(id, #"{"name":"T","description":"d"}"#)
    #expect(template.keys == ["id", "name", "icon", "description", "organization_id", "agent_definition"])
    #expect(template["name"]?.string == "T")
    #expect(template["icon"]?.string == "🦊")
    #expect(template["description"]?.string == "d")
    #expect(template["organization_id"]?.string == bench.plane.host.organizationID)
    #expect(template.at("agent_definition/id")?.string == id)
    #expect(template.at("agent_definition/description")?.string == "staged")
    #expect(SchemaCatalogue.compiled("AgentTemplate")?.accepts(template) == true)
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"description":"later"},"deploy":true}"#)
    let imported = try load(template)
    #expect(imported["description"]?.string == "staged")
    #expect(imported["output_format"]?.string == "json")
    #expect(text(imported["instructions"]) == #"{"role":["r"],"goal":[],"general":"g"}"#)
    // It stays when the agent is gone.
    _ = try bench.call("agents.delete", #"{"agent_id":"\#(id)"}"#)
    #expect(try load(template)["description"]?.string == "staged")
  }

  @Test("an import makes an agent of its own, active, with the name and icon that were asked for")
  func importing() throws {
    let id = try make(#"{"name":"A","description":"d","icon":"🦊"}"#)
    let template = try export(id, #"{"name":"T","icon":"🐸"}"#)
    let first = try load(template)
    #expect(first["name"]?.string == "I")
    #expect(first["icon"]?.string == "🐸")
    #expect(first["description"]?.string == "d")
    #expect(first["status"]?.string == "ACTIVE")
    #expect(first["version"]?.int64 == 2)
    #expect(first["has_pending_changes"]?.bool == false)
    #expect(first["origin_template"]?.string == template["id"]?.string)
    #expect(first["id"]?.string != id)
    #expect(SchemaCatalogue.compiled("AIAgent")?.accepts(first) == true)
    let second = try load(template, #"{"name":"J","description":"e","icon":"🐢"}"#)
    #expect(second["id"]?.string != first["id"]?.string)
    #expect(second["description"]?.string == "e")
    #expect(second["icon"]?.string == "🐢")
    #expect(text(try get(first["id"]?.string ?? "")) == text(first))
  }

  @Test("no credential, organization, user or unknown key is in a template or in what is made of it")
  func secrets() throws {
    let mcp =
      #"{"url":"https://u:LEAK@mcp.example/path?key=LEAK","api_key":"LEAK","client_secret":"LEAK","headers":{"A":"LEAK"},"env_vars":{"K":"LEAK"},"token":"LEAK","client_id":"c"}"#
    let people = #"{"title":"t","recipients":["LEAK"],"slack_app":{"id":"LEAK"},"approvers":{"user_ids":["LEAK"]}}"#
    let id = try make(
      """
      {"name":"A","llm_api_base":"https://LEAK","llm_extra_headers":{"X":"LEAK"},"llm_credentials_key":"LEAK",\
      "llm_credentials":{"name":"LEAK","value":"LEAK"},"environment_id":"LEAK","runtime_environment_id":"LEAK",\
      "connectivity_details":{"agent_url":"https://LEAK@a.example/x?LEAK","auth_type":"bearer","auth_value":"LEAK",\
      "custom_headers":{"H":"LEAK"},"curl_command":"curl -H LEAK","more":"LEAK"},\
      "notification_settings":{"to":"LEAK"},"skills":["LEAK"],"mine":"LEAK",\
      "graph":[{"item_id":"m","type":"mcp","targets":[],"more":"LEAK","llm_settings":[{"type":"before","key":"LEAK"}],\
      "settings":{"more":"LEAK","mcp_settings":\(mcp),"hitl_options":\(people),"a2a_options":{"url":"http://a@b","key":"LEAK"}}}],\
      "tools":[{"id":"t","name":"n","auth":"LEAK"}],\
      "source_nodes":[{"type":"slack","metadata":{"channel":"LEAK"}}]}
      """)
    let template = try export(id)
    let definition = try #require(template["agent_definition"])
    #expect(text(template)?.contains("LEAK") == false)
    #expect(text(template)?.contains(AgentSecrets.mask) == false)
    #expect(text(definition)?.contains(bench.plane.host.organizationID) == false)
    #expect(
      text(definition.at("graph/0/settings/mcp_settings"))?.contains(#""url":"https://mcp.example/path""#) == true)
    #expect(definition.at("graph/0/settings/mcp_settings/client_id")?.string == "c")
    #expect(definition.at("connectivity_details/agent_url")?.string == "https://a.example/x")
    #expect(definition.at("graph/0/settings/a2a_options/url")?.string == "http://b")
    #expect(definition.at("tools/0/name")?.string == "n")
    let imported = try load(template)
    #expect(text(imported)?.contains("LEAK") == false)
    #expect(text(imported["llm_credentials"]) == "null")
    #expect(try bench.secrets(imported["id"]?.string ?? "") == nil)
  }

  @Test("sub-agents are made anew, each once, and every reference leads to the new ones")
  func subAgents() throws {
    let leaf = try make(#"{"name":"Leaf"}"#)
    let middle = try make(#"{"name":"Middle","graph":[\#(item(leaf, "g1"))]}"#)
    let root = try make(
      #"{"name":"Root","graph":[\#(item(middle, "g2", targets: "[\"\(leaf)\",\"g3\"]")),\#(item(leaf, "g3"))],"source_nodes":[{"type":"sdk","targets":["\#(middle)"]}]}"#
    )
    let template = try export(root)
    #expect(template.at("agent_definition/sub_agents/0/name")?.string == "Middle")
    #expect(template.at("agent_definition/sub_agents/0/sub_agents/0/name")?.string == "Leaf")
    #expect(template.at("agent_definition/sub_agents")?.elements.count == 1)
    let imported = try load(template)
    let newMiddle = try #require(imported.at("graph/0/item_id")?.string)
    let newLeaf = try #require(imported.at("graph/1/item_id")?.string)
    #expect(Set([root, middle, leaf, newMiddle, newLeaf, imported["id"]?.string ?? ""]).count == 6)
    #expect(text(imported.at("graph/0/targets")) == "[\"\(newLeaf)\",\"g3\"]")
    #expect(text(imported.at("source_nodes/0/targets")) == "[\"\(newMiddle)\"]")
    let made = try get(newMiddle)
    #expect(made["name"]?.string == "Middle")
    #expect(made.at("graph/0/item_id")?.string == newLeaf)
    #expect(made["origin_template"]?.string == template["id"]?.string)
    #expect(try get(newLeaf)["name"]?.string == "Leaf")
    let listed = try bench.call("agents.list")
    #expect(listed["total"]?.int64 == 6)
    #expect(listed.at("items/0/id")?.string == imported["id"]?.string)
  }

  @Test("agents that refer to one another in a circle are exported once each")
  func circle() throws {
    let first = try make(#"{"name":"First"}"#)
    let second = try make(#"{"name":"Second","graph":[\#(item(first, "a"))]}"#)
    _ = try bench.call(
      "agents.update",
      #"{"agent_id":"\#(first)","body":{"graph":[\#(item(second, "b")),\#(item(first, "c"))]}}"#)
    let imported = try load(try export(first))
    let new = try #require(imported["id"]?.string)
    let other = try #require(imported.at("graph/0/item_id")?.string)
    #expect(imported.at("graph/1/item_id")?.string == new)
    #expect(try get(other).at("graph/0/item_id")?.string == new)
  }

  @Test("a sub-agent that is gone is left out of the graph, and no way leads to it")
  func gone() throws {
    let lost = try make(#"{"name":"Lost"}"#)
    let root = try make(
      #"{"name":"Root","graph":[\#(item(lost, "g")),{"item_id":"t","type":"tool","targets":["g","\#(lost)","x"]}]}"#)
    _ = try bench.call("agents.delete", #"{"agent_id":"\#(lost)"}"#)
    let template = try export(root)
    #expect(template.at("agent_definition/graph")?.elements.count == 1)
    #expect(text(template.at("agent_definition/graph/0/targets")) == #"["x"]"#)
    #expect(text(template)?.contains(lost) == false)
  }

  @Test("agents that refer to one another through too many levels are refused")
  func tooDeep() throws {
    var last = try make(#"{"name":"1"}"#)
    for level in 2...TemplateExport.deepest {
      last = try make(#"{"name":"\#(level)","graph":[\#(item(last, "g"))]}"#)
    }
    #expect(try export(last)["id"] != nil)
    last = try make(#"{"name":"more","graph":[\#(item(last, "g"))]}"#)
    let failure = try bench.failure("agents.export", #"{"agent_id":"\#(last)","body":{"name":"T"}}"#)
    #expect(failure.httpStatus == 400)
  }

  @Test("a template of another organization can be imported by who knows its id")
  func otherOrganization() throws {
    let root = try make(#"{"name":"A","graph":[\#(item(try make(#"{"name":"B"}"#), "g"))]}"#)
    let template = try export(root)
    let stranger = Caller(organizationID: "another", network: .open)
    let arguments = try Arguments(
      try json(#"{"template_id":"\#(template["id"]?.string ?? "")","body":{"name":"I"}}"#))
    let imported = try JSON.parse(try bench.plane.call("agents.import", arguments, as: stranger))
    #expect(imported["organization_id"]?.string == "another")
    #expect(text(imported)?.contains(bench.plane.host.organizationID) == false)
    let list = try JSON.parse(try bench.plane.call("agents.list", Arguments(), as: stranger))
    #expect(list["total"]?.int64 == 2)
    // The agent itself stays closed to it.
    do {
      _ = try bench.plane.call(
        "agents.export", try Arguments(try json(#"{"agent_id":"\#(root)","body":{"name":"T"}}"#)), as: stranger)
      Issue.record("a foreign agent was exported")
    } catch let failure as Failure {
      #expect(failure.httpStatus == 403)
    }
  }

  @Test("a key for some agents cannot export the sub-agents that it may not use")
  func limitedKey() throws {
    let inner = try make(#"{"name":"B"}"#)
    let root = try make(#"{"name":"A","graph":[\#(item(inner, "g"))]}"#)
    let limited = Caller(
      organizationID: bench.plane.host.organizationID, keyID: "k", agents: [root], isReadOnly: false,
      canManageKeys: false)
    do {
      _ = try bench.plane.call(
        "agents.export", try Arguments(try json(#"{"agent_id":"\#(root)","body":{"name":"T"}}"#)), as: limited)
      Issue.record("a sub-agent was exported")
    } catch let failure as Failure {
      #expect(failure.httpStatus == 403)
    }
  }

  @Test("knowledge bases are left out when asked, and refused else, since there is nothing to embed yet")
  func knowledgeBases() throws {
    let id = try make(#"{"name":"A","knowledge_bases":[{"id":"k","name":"LEAK","strategy":"vanilla"}]}"#)
    let failure = try bench.failure("agents.export", #"{"agent_id":"\#(id)","body":{"name":"T"}}"#)
    #expect(failure.httpStatus == 501)
    #expect(failure.message.contains("with_knowledge_bases"))
    let template = try export(id, #"{"name":"T","with_knowledge_bases":false}"#)
    #expect(text(template.at("agent_definition/knowledge_bases")) == "[]")
    #expect(text(try load(template)["knowledge_bases"]) == "[]")
  }

  @Test("what is missing or unknown is answered as documented")
  func refusals() throws {
    let id = try make(#"{"name":"A"}"#)
    let unnamed = try bench.failure("agents.export", #"{"agent_id":"\#(id)","body":{}}"#)
    #expect(unnamed.httpStatus == 422)
    #expect(unnamed.document.at("detail/0/loc/1")?.string == "name")
    #expect(try bench.failure("agents.export", #"{"agent_id":"\#(id)","body":{"name":"  "}}"#).httpStatus == 422)
    let agent = try bench.failure("agents.export", #"{"agent_id":"x","body":{"name":"T"}}"#)
    #expect(text(agent.document) == #"{"detail":"Agent not found"}"#)
    let template = try bench.failure("agents.import", #"{"template_id":"x","body":{"name":"T"}}"#)
    #expect(template.httpStatus == 404)
    #expect(text(template.document) == #"{"detail":"Template not found"}"#)
  }
}
