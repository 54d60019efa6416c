import MusterRuns

/// Finds the agents that others lead.
final class Directory: AgentDirectory {
  private let agents: [RunnableAgent]
  private let ids: [String]

  init(_ agents: [Agent]) {
    ids = agents.map { $0.id }
    self.agents = agents.map {
      RunnableAgent(name: $0.id, description: "", version: "2", configuration: $0.configuration, problem: nil)
    }
  }

  func agent(_ id: String, in organization: String) throws(RunError) -> RunnableAgent? {
    ids.firstIndex(of: id).map { agents[$0] }
  }
}
