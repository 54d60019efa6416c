package import MusterEngine
package import MusterHTTP
package import MusterJSON
package import MusterStore

/// A checked request to run an agent. One object, which is handed on.
package final class Invocation: Sendable {
  package let organizationID: String
  package let agentID: String
  /// The version that runs: a number, or "draft".
  package let agentVersion: String
  /// The version that the caller asked for, if any.
  package let requestedVersion: String?
  package let agent: AgentConfiguration
  /// Which state of the agent `agent` is, if that was not read for this call: it is compared when the run begins, and
  /// the credential comes then.
  package let agentState: DeployedState?
  /// The thread to continue or to begin.
  package let taskID: String
  /// Whether the id is fresh, so that no task can have it.
  package let isNewTask: Bool
  /// The documented keys of the request's body, as they came.
  package let request: JSON
  /// Which addresses of models that others than the plane chose may be asked.
  package let network: NetworkPolicy
  /// What is remembered with the first record, if the call carries a key for repetitions.
  package let idempotency: IdempotencyEntry?
  /// Which call of another task it answers, and what it may use up of what that one has.
  let delegated: Delegated?
  let limits: Limits?

  package init(
    organizationID: String, agentID: String, agentVersion: String, requestedVersion: String?,
    agent: AgentConfiguration, agentState: DeployedState? = nil, taskID: String, isNewTask: Bool = false, request: JSON,
    network: NetworkPolicy, idempotency: IdempotencyEntry? = nil,
    delegated: Delegated? = nil, limits: Limits? = nil
  ) {
    self.delegated = delegated
    self.limits = limits
    self.organizationID = organizationID
    self.agentID = agentID
    self.agentVersion = agentVersion
    self.requestedVersion = requestedVersion
    self.agent = agent
    self.agentState = agentState
    self.taskID = taskID
    self.isNewTask = isNewTask
    self.request = request
    self.network = network
    self.idempotency = idempotency
  }
}
