package import MusterStore
package import MusterSystem

/// Why a run gave no finished task to its caller.
package enum RunError: Error {
  case store(StoreError)
  /// The caller's time ran out; the task, if it had begun, was stopped.
  case timedOut(taskID: String?)
  /// The caller cancelled, or the plane is being closed; the task, if it had begun, was ended.
  case interrupted(Interrupt.Reason, taskID: String?)
  /// The task was deleted while it ran.
  case deleted
  /// The agent was deleted before the run began; no task is left of it.
  case agentDeleted
  /// The agent is not in the state that the invocation was made of; no task is left of it.
  case agentChanged
  /// The task with this id belongs to another agent.
  case otherAgent
  /// Other turns of the thread are not over, and this one may not wait for them.
  case busy
  /// The agent lists a tool that the host has not registered.
  case toolMissing(String)
  /// The agent leads others, and cannot: why.
  case notRunnable(String)
  /// There are as many runs under way as there may be.
  case tooMany(Int64)
  case unreadable(String)

  /// Whether nothing has begun because the agent is not what the invocation was made of.
  package var isOutdatedAgent: Bool {
    switch self {
    case .agentChanged, .agentDeleted: return true
    default: return false
    }
  }
}
