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
  case unreadable(String)
}
