import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// The operation `tasks.fork`.
enum ForkOperation {
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try TaskOperations.find(call.taskID, call)
    let sequence = try sequence(call)
    let found: ForkPoint?
    do throws(RunError) {
      found = try call.plane.runs.forkPoint(of: task.id, in: call.organizationID, at: sequence)
    } catch {
      throw Failure(error)
    }
    guard let point = found else { throw problem("event", "the task has no such event", "value_error.event_id") }
    // Whoever may use the task that was asked for may not use one that was made meanwhile with its id.
    guard point.task.key == task.key else { throw .api(404, "Task not found") }
    let change = ForkChange(
      changesModel: modelKeys.contains { call.body.present($0) != nil },
      changesInstructions: call.body.present("instructions") != nil)
    let invocation = try invocation(call, point)
    let snapshot: TaskSnapshot
    do throws(RunError) {
      snapshot = try call.plane.runs.fork(point, change, as: invocation)
    } catch {
      throw Failure(error)
    }
    let answer = try TaskDocument.make(snapshot)
    if let key = call.idempotency {
      // Without it a repetition gives the task as it stands then.
      do throws(StoreError) { try call.plane.store.keepAnswer(answer, of: key) } catch {}
    }
    return .json(answer)
  }

  /// The record that an event belongs to: its number, or an id as events carry it.
  private static func sequence(_ call: OperationCall) throws(Failure) -> Int64 {
    let event = call.body["event"]
    if let number = event?.int64 { return number }
    guard let place = event?.string.flatMap({ EventPosition(text: $0) }) else {
      throw problem("event", "value is not the id of an event", "value_error.event_id")
    }
    return place.sequence
  }

  private static func problem(_ key: String, _ message: String, _ type: String) -> Failure {
    .validation([.key("body"), .key(key)], message, type: type)
  }

  // MARK: - The new task

  private static let modelKeys = ["llm_model_provider", "llm_model_name", "llm_reasoning_effort"]

  private static func invocation(_ call: OperationCall, _ point: ForkPoint) throws(Failure) -> Invocation {
    if point.isEndOfTurn, call.body.present("input") == nil {
      // What was asked there was answered.
      throw problem("input", "field required", "value_error.missing")
    }
    let request = request(call, point)
    try InvokeOperation.check(request)
    let version = point.beginning.agentVersion
    let agent = try agent(version, point, call)
    try agent.check(request)
    let instructions = call.body.present("instructions")?.string
    let taskID = Identifier.make()
    return Invocation(
      organizationID: call.organizationID, agentID: point.task.agentID, agentVersion: version,
      requestedVersion: point.beginning.requestedVersion,
      agent: instructions.map { agent.configuration.with(instructions: $0) } ?? agent.configuration, taskID: taskID,
      isNewTask: true, request: request, network: call.network, idempotency: call.remembering(taskID, answer: nil))
  }

  /// The request of the turn with what the fork changes. It is a thread of its own, below no other task.
  private static func request(_ call: OperationCall, _ point: ForkPoint) -> JSON {
    var changes: [(key: String, value: JSON)] = []
    for key in ["input", "title"] + modelKeys {
      if let value = call.body.present(key) { changes.append((key, value)) }
    }
    var writer = JSONWriter(capacity: point.beginning.request.bytes.count)
    writer.beginObject()
    for member in point.beginning.request.members
    where !member.lexeme.isString("id") && !member.lexeme.isString("parent_execution_id") {
      writer.key(member.lexeme)
      writer.value(member.value)
    }
    writer.endObject()
    return writer.json.setting(changes)
  }

  /// The version of the agent that the turn ran with.
  private static func agent(
    _ version: String, _ point: ForkPoint, _ call: OperationCall
  ) throws(Failure) -> PreparedAgent {
    let row = try AgentOperations.find(point.task.agentID, call)
    if JSON.trusted(row.document)["status"]?.isString("INACTIVE") == true { throw .api(400, "Agent is not active") }
    guard let number = Int64(version) else { return PreparedAgent(document: .trusted(row.document)) }
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.agentVersion(number, of: row.id, in: call.organizationID)
    }
    guard let found else { throw .api(404, "Agent version not found") }
    return PreparedAgent(document: .trusted(found.document))
  }
}
