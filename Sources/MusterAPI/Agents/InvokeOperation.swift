import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// The operation `agents.invoke`.
enum InvokeOperation {
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    if call.flag("asynchronous") { return try InvokeAsyncOperation.run(call) }
    let answer = try TaskDocument.make(try snapshot(call))
    if let key = call.idempotency {
      // Without it a repetition is answered from the task, as long as that is at this turn.
      do throws(StoreError) { try call.plane.store.keepAnswer(answer, of: key) } catch {}
    }
    return .json(answer)
  }

  private static func snapshot(_ call: OperationCall) throws(Failure) -> TaskSnapshot {
    try beginning(call) { (invocation: Invocation) throws(RunError) in
      try call.plane.runs.invoke(
        invocation, onBusy: busyRule(call), deadline: call.deadline, interrupt: call.interrupt)
    }
  }

  /// Runs `begin` with the invocation that a call is: first as the agent was at an earlier run, if it is known; if that
  /// does not hold any more, nothing has begun, and it is run again with what the store has.
  static func beginning<Value>(
    _ call: OperationCall, _ begin: (Invocation) throws(RunError) -> Value
  ) throws(Failure) -> Value {
    let first = try invocation(call)
    do throws(RunError) {
      return try begin(first)
    } catch {
      if first.agentState == nil || !error.isOutdatedAgent { throw Failure(error) }
    }
    let second = try invocation(call, isFresh: true)
    do throws(RunError) {
      return try begin(second)
    } catch {
      throw Failure(error)
    }
  }

  /// The invocation that a call is. `isFresh`: as the store has the agent now, whatever is known of it.
  static func invocation(_ call: OperationCall, isFresh: Bool = false) throws(Failure) -> Invocation {
    let request = documented(call.body)
    if !isFresh, let known = known(call, request) { return invocation(known, call, request) }
    let chosen = try choose(call)
    guard chosen.isActive else { throw .api(400, "Agent is not active") }
    try check(request)
    try chosen.agent.check(request)
    return invocation(chosen, call, request)
  }

  private static func invocation(_ chosen: Choice, _ call: OperationCall, _ request: JSON) -> Invocation {
    let given = request["id"]?.string
    let taskID = given ?? Identifier.make()
    return Invocation(
      organizationID: call.organizationID, agentID: call.agentID, agentVersion: chosen.version,
      requestedVersion: chosen.requested,
      agent: chosen.agent.configuration.with(secrets: chosen.secrets.map { JSON.trusted($0) }),
      agentState: chosen.state, taskID: taskID, isNewTask: given == nil, request: request, network: call.network,
      idempotency: call.remembering(taskID, answer: nil))
  }

  /// What the call wants if its thread is busy.
  static func busyRule(_ call: OperationCall) -> BusyRule {
    call.string("on_busy").flatMap { BusyRule(rawValue: $0) } ?? .enqueue
  }

  // MARK: - Version

  /// The version that the caller asked for: "draft", a number in decimal, or nil.
  private static func version(_ call: OperationCall) throws(Failure) -> String? {
    if let number = call.integer("version") { return "\(number)" }
    guard let text = call.string("version") else { return nil }
    if text == "draft" { return text }
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int64(text) else {
      throw .validation(
        [.key("query"), .key("version")], "value is not a version number or draft", type: "value_error.version")
    }
    return "\(number)"
  }

  /// The version that runs.
  private struct Choice {
    /// What the caller asked for, if anything.
    let requested: String?
    /// A number, or "draft".
    let version: String
    let isActive: Bool
    let agent: PreparedAgent
    let secrets: [UInt8]?
    /// The state of the agent that this is known of; nil when it was read for this call.
    var state: DeployedState?
  }

  /// The deployed version as it was at an earlier run, if that can serve this request. It is compared with the store in
  /// the transaction that begins the run, which saves the look before it. Nil also when there is something to refuse:
  /// what is told then comes from the store.
  private static func known(_ call: OperationCall, _ request: JSON) -> Choice? {
    guard let entry = call.plane.preparedAgents.last(call.agentID), entry.isActive else { return nil }
    do throws(Failure) {
      let requested = try version(call)
      guard requested == nil || requested == "\(entry.state.version)" else { return nil }
      try check(request)
      try entry.agent.check(request)
      return Choice(
        requested: requested, version: "\(entry.state.version)", isActive: true, agent: entry.agent, secrets: nil,
        state: entry.state)
    } catch {
      return nil
    }
  }

  private static func choose(_ call: OperationCall) throws(Failure) -> Choice {
    let plane = call.plane
    let deployed = try call.store { () throws(StoreError) in
      try plane.store.deployedState(of: call.agentID, in: call.organizationID)
    }
    guard let deployed else {
      // Gone, or somebody else's: the look-up says which.
      _ = try AgentOperations.find(call.agentID, call)
      throw .api(404, "Agent not found")
    }
    let requested = try version(call)
    guard requested == nil || requested == "\(deployed.state.version)" else { return try chooseOther(requested, call) }
    var entry = plane.preparedAgents.entry(call.agentID, in: deployed.state)
    var secrets = deployed.secrets
    if entry == nil {
      let read = try call.store { () throws(StoreError) in
        try plane.store.deployedAgent(call.agentID, in: call.organizationID)
      }
      // It may have been changed since its state was read.
      guard let read, requested == nil || read.state.version == deployed.state.version else {
        return try chooseOther(requested, call)
      }
      entry = plane.preparedAgents.prepare(call.agentID, read)
      secrets = read.secrets
    }
    guard let entry else { return try chooseOther(requested, call) }
    return Choice(
      requested: requested, version: "\(entry.state.version)", isActive: entry.isActive, agent: entry.agent,
      secrets: secrets)
  }

  /// The draft, or a version that may not be the deployed one.
  private static func chooseOther(_ requested: String?, _ call: OperationCall) throws(Failure) -> Choice {
    let row = try AgentOperations.find(call.agentID, call)
    let isActive = JSON.trusted(row.document)["status"]?.isString("INACTIVE") != true
    if requested == "draft" {
      return Choice(
        requested: requested, version: "draft", isActive: isActive,
        agent: PreparedAgent(document: .trusted(row.document)), secrets: row.secrets)
    }
    let number = requested.flatMap { Int64($0) } ?? row.version
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.agentVersion(number, of: row.id, in: call.organizationID)
    }
    guard let found else { throw .api(404, "Agent version not found") }
    return Choice(
      requested: requested, version: "\(number)", isActive: isActive,
      agent: PreparedAgent(document: .trusted(found.document)), secrets: found.secrets)
  }

  // MARK: - Request

  private static let documentedKeys: Set<String> = Set(
    SchemaCatalogue.compiled("InvokeAgent")?.root.properties.map { $0.name } ?? [])

  /// The documented keys of a body that are not null; null means not given, and unknown keys are ignored.
  private static func documented(_ body: JSON) -> JSON {
    var writer = JSONWriter(capacity: body.bytes.count)
    writer.beginObject()
    for member in body.members where !member.value.isNull && documentedKeys.contains(member.key) {
      writer.key(member.lexeme)
      writer.value(member.value)
    }
    writer.endObject()
    return writer.json
  }

  /// Refuses a request that no run can have.
  static func check(_ request: JSON) throws(Failure) {
    let input = request["input"]
    if input?["text"]?.isEmpty ?? true, input?["files"]?.isEmpty ?? true {
      throw .validation(
        [.key("body"), .key("input"), .key("text")], "a text or at least one file is required",
        type: "value_error.missing")
    }
    for key in ["id", "parent_execution_id"] {
      guard let id = request[key]?.utf8 else { continue }
      let isForbidden = { (byte: UInt8) in
        byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?")
          || byte == UInt8(ascii: "#")
      }
      guard id.count <= 255, !id.contains(where: isForbidden) else {
        throw .validation(
          [.key("body"), .key(key)], "an id has 1 to 255 bytes without /, ?, # and control characters",
          type: "value_error.id")
      }
    }
    // In full threads "root" is the key of the task that was asked for, and its sub-tasks stand beside it.
    if request["id"]?.isString("root") == true, request["parent_execution_id"] != nil {
      throw .validation(
        [.key("body"), .key("id")], "the id of a sub-task cannot be root", type: "value_error.id")
    }
  }
}
