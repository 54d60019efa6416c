import MusterJSON
import Testing

@testable import MusterAPI

@Suite("Secrets of agents")
struct SecretTests {
  private func separate(_ document: String, _ previous: String? = nil) throws -> (document: JSON, secrets: JSON?) {
    AgentSecrets.separate(try json(document), previous: try previous.map(json))
  }

  @Test(
    "each secret is taken out, and a mask stands in its place",
    arguments: [
      (#"{"llm_credentials":{"name":"n","value":"s-1"}}"#, #"{"llm_credentials":{"name":"n","value":"********"}}"#),
      (#"{"connectivity_details":{"auth_value":"s-1"}}"#, #"{"connectivity_details":{"auth_value":"********"}}"#),
      (
        #"{"connectivity_details":{"custom_headers":{"Authorization":"s-1"}}}"#,
        #"{"connectivity_details":{"custom_headers":{"Authorization":"********"}}}"#
      ),
      (
        #"{"graph":[{"item_id":"i","settings":{"mcp_settings":{"api_key":"s-1","client_id":"c"}}}]}"#,
        #"{"graph":[{"item_id":"i","settings":{"mcp_settings":{"api_key":"********","client_id":"c"}}}]}"#
      ),
      (
        #"{"graph":[{"settings":{"mcp_settings":{"client_secret":"s-1"}}},{"item_id":"x"}]}"#,
        #"{"graph":[{"settings":{"mcp_settings":{"client_secret":"********"}}},{"item_id":"x"}]}"#
      ),
      (
        #"{"graph":[{"id":"g","settings":{"mcp_settings":{"headers":{"A":"s-1","B":""},"env_vars":{"K":"s-1","N":12345}}}}]}"#,
        #"{"graph":[{"id":"g","settings":{"mcp_settings":{"headers":{"A":"********","B":""},"env_vars":{"K":"********","N":"********"}}}}]}"#
      ),
    ])
  func masks(document: String, masked: String) throws {
    let (shown, secrets) = try separate(document)
    #expect(text(shown) == masked)
    let kept = try #require(secrets)
    #expect(kept.members.allSatisfy { $0.value.string == "s-1" || $0.value.int64 == 12345 })
    // Sent back as it was shown, it stays as it was.
    let again = AgentSecrets.separate(shown, previous: kept)
    #expect(text(again.document) == masked)
    #expect(text(again.secrets) == text(kept))
  }

  @Test(
    "a document without secrets keeps its bytes",
    arguments: [
      "{}", #"{"llm_credentials":null,"graph":[],"connectivity_details":{}}"#,
      #"{"graph":[1,"x",null,{"settings":null}]}"#,
      #"{"llm_credentials":{"name":"n","value":""}}"#,
      #"{"graph":{"settings":5},"llm_credentials":"x","connectivity_details":[1]}"#,
    ])
  func nothing(document: String) throws {
    let (shown, secrets) = try separate(document)
    #expect(text(shown) == document)
    #expect(secrets == nil)
  }

  @Test("a secret follows its item of the graph, whatever its place")
  func identity() throws {
    func item(_ id: String, _ key: String) -> String {
      #"{"id":"\#(id)","item_id":"same","settings":{"mcp_settings":{"api_key":"\#(key)"}}}"#
    }
    let first = try separate(#"{"graph":[\#(item("a", "s-a")),\#(item("b", "s-b"))]}"#)
    let mask = AgentSecrets.mask
    let turned = AgentSecrets.separate(
      try json(#"{"graph":[\#(item("b", mask)),\#(item("c", "s-c")),\#(item("a", mask))]}"#), previous: first.secrets)
    let values = turned.secrets?.members.map { "\($0.key) \($0.value.string ?? "")" }
    #expect(
      values == [
        "/graph/b/settings/mcp_settings/api_key s-b", "/graph/c/settings/mcp_settings/api_key s-c",
        "/graph/a/settings/mcp_settings/api_key s-a",
      ])
    let removed = AgentSecrets.separate(try json(#"{"graph":[\#(item("b", mask))]}"#), previous: turned.secrets)
    #expect(removed.secrets?.members.count == 1)
  }

  @Test(
    "items that say the same of themselves, or nothing, keep their own secrets",
    arguments: [#""item_id":"same","#, "", #""id":"a/b~c","#])
  func sameIdentity(member: String) throws {
    func graph(_ keys: [String]) -> String {
      let items = keys.map { #"{\#(member)"settings":{"mcp_settings":{"api_key":"\#($0)"}}}"# }
      return #"{"graph":[\#(items.joined(separator: ","))]}"#
    }
    let first = try separate(graph(["s-1", "s-2", "s-3"]))
    let names = first.secrets?.members.map { $0.key } ?? []
    #expect(Set(names).count == 3)
    let again = AgentSecrets.separate(
      try json(graph([AgentSecrets.mask, "s-4", AgentSecrets.mask])), previous: first.secrets)
    #expect(again.secrets?.members.compactMap { $0.value.string } == ["s-1", "s-4", "s-3"])
  }

  @Test("a mask for which nothing is kept is no secret")
  func unknownMask() throws {
    let (shown, secrets) = try separate(#"{"llm_credentials":{"name":"n","value":"********"}}"#)
    #expect(shown.at("llm_credentials/value")?.string == AgentSecrets.mask)
    #expect(secrets == nil)
  }

  @Test("no answer shows a credential; the model gets it until it is cleared")
  func credential() throws {
    let bench = try Bench()
    let id = try bench.agent("headers", #"{"llm_credentials":{"name":"n","value":"sk-secret-1"}}"#)
    func authorization(_ arguments: String = "{}") throws -> String? {
      let task = try bench.invoke(id, arguments: arguments)
      return try json(task["result"]?.string ?? "")["authorization"]?.string
    }
    let answers = try [
      bench.call("agents.get", #"{"agent_id":"\#(id)"}"#), bench.call("agents.list"), bench.call("agents.list_full"),
      bench.call("agents.deploy", #"{"agent_id":"\#(id)"}"#),
      bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"llm_credentials":{"name":"m","value":"********"}}}"#),
    ]
    for answer in answers { #expect(text(answer)?.contains("sk-secret-1") == false) }
    #expect(try authorization() == "Bearer sk-secret-1")
    #expect(try authorization(#"{"version":"draft"}"#) == "Bearer sk-secret-1")
    _ = try bench.call(
      "agents.update",
      #"{"agent_id":"\#(id)","body":{"llm_credentials":{"name":"m","value":"sk-secret-2"}},"deploy":true}"#)
    #expect(try authorization() == "Bearer sk-secret-2")
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"name":"other"},"deploy":true}"#)
    #expect(try authorization() == "Bearer sk-secret-2")
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"llm_credentials":null},"deploy":true}"#)
    #expect(try bench.secrets(id) == nil)
    #expect(try authorization() == "Bearer EMPTY")
    // An earlier version still runs with what it was deployed with.
    #expect(try authorization(#"{"version":2}"#) == "Bearer sk-secret-1")
  }

  @Test("failures and log lines show no credential")
  func failures() throws {
    let bench = try Bench()
    let id = try bench.agent("status:401", #"{"llm_credentials":{"name":"n","value":"sk-secret-1"}}"#)
    let task = try bench.invoke(id)
    #expect(task["status"]?.string == "error")
    #expect(text(task)?.contains("sk-secret-1") == false)
    #expect(bench.lines.all.contains { $0.contains("401") })
    #expect(!bench.lines.all.contains { $0.contains("sk-secret-1") })
  }
}
