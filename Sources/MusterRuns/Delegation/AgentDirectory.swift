/// Finds agents for runs that start other agents. Every function may be called from any thread.
package protocol AgentDirectory: AnyObject, Sendable {
  /// The deployed version of an agent; nil when there is none, or it is not active.
  func agent(_ id: String, in organization: String) throws(RunError) -> RunnableAgent?
}

/// An agent that can be run. One object, which is handed on.
package final class RunnableAgent: Sendable {
  package let name: String
  package let description: String
  /// The number of the version.
  package let version: String
  /// With its credential.
  package let configuration: AgentConfiguration
  /// Why it cannot be run; nil when it can.
  package let problem: String?

  package init(
    name: String, description: String, version: String, configuration: AgentConfiguration, problem: String?
  ) {
    self.name = name
    self.description = description
    self.version = version
    self.configuration = configuration
    self.problem = problem
  }
}
