import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// An agent of the schedules.
struct Agent {
  let id: String
  let document: JSON
  let configuration: AgentConfiguration
  /// The agents that it leads.
  let members: [String]

  init(id: String, tools: [SimulatedTool.Kind], leads members: [String] = [], _ more: String = "") {
    self.id = id
    self.members = members
    var graph = tools.map { tool in
      let approval = tool.needsApproval ? #","settings":{"hitl_options":{"title":"May it?"}}"# : ""
      return #"{"type":"tool","sub_type":"local_tool","item_id":"\#(tool.rawValue)"\#(approval)}"#
    }
    graph += members.map { #"{"type":"agent","item_id":"\#($0)"}"# }
    document = JSON.trusted(
      Array(
        #"""
        {"model_provider":"openai_compatible","model_name":"m","llm_api_base":"http://127.0.0.1:9/v1",\#
        "llm_reasoning_effort":"medium","output_format":"markdown","name":"\#(id)",\#(more)"graph":[\#(graph.joined(separator: ","))]}
        """#.utf8))
    configuration = AgentConfiguration(document: document, secrets: nil)
  }

  /// Those that lead others have the prompt handed on as it is, by which the schedules know their turns.
  static let all = [
    Agent(id: "plain", tools: []), Agent(id: "handy", tools: SimulatedTool.Kind.allCases),
    Agent(
      id: "leader", tools: [.look, .pay, .wipe], leads: ["handy", "plain"],
      #""delegation_memory_strategy":"original-input","sub_agents_continuous_thread":false,"#),
    Agent(
      id: "chief", tools: [.set], leads: ["leader", "handy"],
      #""delegation_memory_strategy":"original-input","#),
    Agent(
      id: "queue", tools: [], leads: ["handy", "plain"],
      #""delegation_memory_strategy":"original-input","delegation_type":"sequence","#),
  ]

  func insert(into store: Store) throws(StoreError) {
    let now = Timestamp.now()
    _ = try store.insertAgent(
      AgentRow(
        organizationID: store.firstOrganizationID, id: id, revision: 1, version: 2, createdAt: now, updatedAt: now,
        document: Array(document.bytes), secrets: nil), durable: true)
  }
}
