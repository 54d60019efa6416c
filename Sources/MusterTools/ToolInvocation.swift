package import MusterJSON

/// A call of a tool, as a run wishes it.
package struct ToolInvocation: Sendable {
  /// Unique for ever; also the idempotency key.
  package let callID: String
  package let name: String
  package let arguments: JSON
  package let organizationID: String
  package let agentID: String
  package let taskID: String
  /// Whether it was called with this id before.
  package let isRepeat: Bool
  /// Whether it is asked only what became of the call with this id.
  package let isProbe: Bool
  /// What is made of an answer before it is kept and cut; nil: nothing.
  package let shape: (@Sendable (JSON) -> JSON)?

  package init(
    callID: String, name: String, arguments: JSON, organizationID: String, agentID: String, taskID: String,
    isRepeat: Bool = false, isProbe: Bool = false, shape: (@Sendable (JSON) -> JSON)? = nil
  ) {
    self.shape = shape
    self.callID = callID
    self.name = name
    self.arguments = arguments
    self.organizationID = organizationID
    self.agentID = agentID
    self.taskID = taskID
    self.isRepeat = isRepeat
    self.isProbe = isProbe
  }

  /// What the host gets.
  var text: [UInt8] {
    var writer = JSONWriter(capacity: arguments.bytes.count &+ 384)
    writer.beginObject()
    writer.member("call_id", callID)
    writer.member("idempotency_key", callID)
    writer.member("name", name)
    writer.member("arguments", arguments)
    writer.member("organization_id", organizationID)
    writer.member("agent_id", agentID)
    writer.member("task_id", taskID)
    writer.member("repeat", isRepeat)
    writer.member("probe", isProbe)
    writer.endObject()
    return writer.bytes
  }
}
