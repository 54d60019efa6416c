import MusterJSON
import MusterStore

/// Decides whether a caller may call an operation. The one place for it: handlers check nothing of this kind, but lists
/// pass on which agents the caller may see.
enum Authorization {
  static let otherAgent = Failure.api(403, "API key not allowed for this agent")

  /// Refuses a caller who has no right to the operation, whatever its arguments.
  static func check(_ caller: Caller, _ operation: Operation) throws(Failure) {
    guard caller.keyID != nil else { return }
    switch operation.access {
    case .read: return
    case .host: throw .api(403, "only the host itself can call \(operation.name)")
    case .change, .administer, .manageKeys: break
    }
    if caller.isReadOnly { throw .api(403, "API key is read-only") }
    if operation.access == .manageKeys, !caller.canManageKeys { throw .api(403, "API key may not manage API keys") }
    if operation.access == .administer, caller.agents != nil {
      throw .api(403, "API key is limited to some agents")
    }
  }

  /// Refuses a checked call that names an agent which the caller may not use, or a task of such an agent. Whether such
  /// an agent exists stays unsaid; a task that does not exist is left to the handler.
  static func check(_ call: OperationCall, _ operation: Operation) throws(Failure) {
    guard call.caller.agents != nil else { return }
    if operation.namesAgent, !call.caller.mayUse(agent: call.agentID) { throw otherAgent }
    if operation.namesTask { try check(task: call.taskID, call) }
    if operation.namesTasksInBody {
      for key in ["id", "parent_execution_id"] {
        if let id = call.body[key]?.string { try check(task: id, call) }
      }
    }
  }

  private static func check(task id: String, _ call: OperationCall) throws(Failure) {
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.agent(ofTask: id, in: call.organizationID)
    }
    if let agent = found, !call.caller.mayUse(agent: agent) { throw otherAgent }
  }
}
