import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// An agent of the schedules.
struct Agent {
  let id: String
  let document: JSON
  let configuration: AgentConfiguration

  init(id: String, tools: [SimulatedTool.Kind]) {
    self.id = id
    let graph = tools.map { tool in
      let approval = tool.needsApproval ? #","settings":{"hitl_options":{"title":"May it?"}}"# : ""
      return #"{"type":"tool","sub_type":"local_tool","item_id":"\#(tool.rawValue)"\#(approval)}"#
    }
    document = JSON.trusted(
      Array(
        #"""
        {"model_provider":"openai_compatible","model_name":"m","llm_api_base":"http://127.0.0.1:9/v1",\#
        "llm_reasoning_effort":"medium","output_format":"markdown","graph":[\#(graph.joined(separator: ","))]}
        """#.utf8))
    configuration = AgentConfiguration(document: document, secrets: nil)
  }

  static let all = [Agent(id: "plain", tools: []), Agent(id: "handy", tools: SimulatedTool.Kind.allCases)]

  func insert(into store: Store) throws(StoreError) {
    let now = Timestamp.now()
    _ = try store.insertAgent(
      AgentRow(
        organizationID: store.firstOrganizationID, id: id, revision: 1, version: 2, createdAt: now, updatedAt: now,
        document: Array(document.bytes), secrets: nil), durable: true)
  }
}
