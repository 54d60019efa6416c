import MusterJSON
import MusterRuns
import MusterStore

/// The operations on agents. Source: the contract's chapter on agents.
enum AgentOperations {
  static let all: [Operation] = [
    Operation(
      "agents.list", "GET", "/v1/agents", "Lists agents in short form, newest first.",
      parameters: Operation.Parameter.paging,
      answer: "MinimalAIAgentPage", isFunctionOfStore: true, handler: list),
    Operation(
      "agents.list_full", "GET", "/v1/agents/full", "Lists agents with their whole configuration, newest first.",
      parameters: Operation.Parameter.paging, answer: "AIAgentPage", isFunctionOfStore: true, handler: listFull),
    Operation(
      "agents.get", "GET", "/v1/agents/{agent_id}", "Gives an agent: its working copy.", parameters: [.agentID],
      answer: "AIAgent", isFunctionOfStore: true, handler: get),
    Operation(
      "agents.create", "POST", "/v1/agents", "Makes an agent, which is active at once.",
      body: .init(
        "CreateAgent", isTakenApart: true,
        example: #"{"name":"Guide","instructions":{"general":"Answer in one short sentence."}}"#), answer: "AIAgent",
      success: 201,
      repetition: .remembered, handler: create),
    Operation(
      "agents.update", "PATCH", "/v1/agents/{agent_id}", "Changes an agent's working copy; a deploy makes it run.",
      parameters: [
        .agentID,
        .init("deploy", .query, "Deploy right after saving.", #"{"type":"boolean","default":false}"#),
      ], body: .init("UpdateAgent", example: #"{"instructions":{"general":"Answer in two sentences."}}"#),
      answer: "AIAgent", handler: update),
    Operation(
      "agents.deploy", "PUT", "/v1/agents/{agent_id}", "Makes the working copy the version that runs.",
      parameters: [.agentID], answer: "AIAgent", handler: deploy),
    Operation(
      "agents.delete", "DELETE", "/v1/agents/{agent_id}", "Removes an agent with its versions and tasks for good.",
      parameters: [.agentID], answer: nil, success: 202, access: .administer, handler: delete),
    Operation(
      "agents.invoke", "POST", "/v1/agents/{agent_id}/invoke",
      "Runs an agent and waits until its task has ended, or waits for a person (`paused`, with `hitl_request`) or for"
        + " a task below it that does (`pending`); the task is given also when the run failed.",
      parameters: [.agentID, .version]
        + [
          .init(
            "asynchronous", .query, "Answer as agents.invoke_async does, before the task has ended.",
            #"{"type":"boolean","default":false}"#), .onBusy,
        ], body: .init("InvokeAgent", example: invokeExample), answer: "AgentExecution", failures: invokeFailures,
      repetition: .remembered, form: .run, handler: InvokeOperation.run),
    Operation(
      "agents.invoke_async", "POST", "/v1/agents/{agent_id}/invoke/async",
      "Runs an agent and gives its task as it was accepted, `pending`; the run goes on.",
      parameters: [.agentID, .version, .onBusy], body: .init("InvokeAgent", example: invokeExample),
      answer: "AgentExecution", failures: invokeFailures, repetition: .remembered, form: .acceptance,
      handler: InvokeAsyncOperation.run),
    Operation(
      "agents.invoke_stream", "POST", "/v1/agents/{agent_id}/invoke/stream",
      "Runs an agent and gives the events of its task, until that has ended or waits for a person.",
      parameters: [.agentID, .version, .onBusy]
        + [
          .init(
            "on_disconnect", .query, "What happens to the run when nobody reads its events any more.",
            #"{"type":"string","enum":["continue","cancel"],"default":"continue"}"#)
        ], body: .init("InvokeAgent", example: invokeExample), answer: "TaskEvents", failures: invokeFailures,
      repetition: .remembered, form: .runEvents, handler: EventCollector.collect),
    Operation(
      "agents.tasks", "GET", "/v1/agents/{agent_id}/tasks", "Lists an agent's tasks, the last changed first.",
      parameters: [.agentID] + Operation.Parameter.paging + TaskOperations.filters, answer: "TasksListItemPage",
      handler: tasks),
  ]

  private static let invokeExample = #"{"input":{"text":"What is the capital of France?"}}"#
  private static let invokeFailures: [Int32] = [400, 409, 501, 504]

  /// How often a change is tried when others change the same agent at the same time; each round one of them gets through.
  private static let tries = 1_000

  /// The agent, or the documented error.
  static func find(_ id: String, _ call: OperationCall) throws(Failure) -> AgentRow {
    try found { () throws(StoreError) in try call.plane.store.agent(id, in: call.organizationID) }
  }

  private static func found<Row>(_ look: () throws(StoreError) -> Lookup<Row>) throws(Failure) -> Row {
    let lookup: Lookup<Row>
    do throws(StoreError) {
      lookup = try look()
    } catch {
      throw Failure(error)
    }
    switch lookup {
    case .found(let row): return row
    case .foreign: throw .api(403, "Agent belongs to another organization")
    case .missing: throw .api(404, "Agent not found")
    }
  }

  // MARK: - Reading

  @Sendable private static func list(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.agents(
        PageRequest(page: call.page, perPage: call.perPage), in: call.organizationID, only: call.caller.agents)
    }
    return .json(
      try PageDocument.make(page: call.page, perPage: call.perPage) { text throws(Failure) in
        for (index, document) in found.rows.enumerated() {
          if index > 0 { text.append(UInt8(ascii: ",")) }
          AgentDocument.appendShort(document, to: &text)
        }
        return found.total
      })
  }

  @Sendable private static func listFull(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let (page, perPage) = (call.page, call.perPage)
    return .json(
      try PageDocument.make(page: page, perPage: perPage) { text throws(Failure) in
        try call.store { () throws(StoreError) in
          try call.plane.store.appendAgents(
            PageRequest(page: page, perPage: perPage), in: call.organizationID, only: call.caller.agents, to: &text)
        }
      })
  }

  @Sendable private static func get(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let id = call.agentID
    return .json(
      try found { () throws(StoreError) in try call.plane.store.agentDocument(id, in: call.organizationID) })
  }

  @Sendable private static func tasks(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    _ = try find(call.agentID, call)
    return .json(try TaskOperations.page(call, agentID: call.agentID))
  }

  // MARK: - Changing

  @Sendable private static func create(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    guard let filling = call.filling else { throw Failure(.internal, "the body was not taken apart") }
    let values = AgentValues(given: filling)
    try checkName(values.placed[AgentValues.slots.name])
    let row = AgentDocument.create(values, plane: call.plane, caller: call.caller)
    try call.store { () throws(StoreError) in
      try call.plane.store.insertAgent(
        row, durable: call.plane.configuration.isDurable, remembering: call.remembering(row.id, answer: row.document))
    }
    return .json(row.document)
  }

  /// A name of blanks names nothing.
  static func checkName(_ value: JSON?) throws(Failure) {
    guard let name = value?.utf8 else { return }
    if name.allSatisfy({ $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0d) }) {
      throw .validation(
        [.key("body"), .key("name")], "ensure this value has at least 1 characters",
        type: "value_error.any_str.min_length")
    }
  }

  @Sendable private static func update(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    try checkName(call.body["name"])
    let deploys = call.flag("deploy")
    let changed = try change(call) { row throws(Failure) in
      guard let changed = AgentDocument.change(row, call.body) else {
        throw .validation([.key("body")], "at least one field is required", type: "value_error.missing")
      }
      return deploys ? AgentDocument.deploy(changed) : changed
    }
    return .json(changed.document)
  }

  @Sendable private static func deploy(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    .json(try change(call) { row throws(Failure) in AgentDocument.deploy(row) }.document)
  }

  /// Reads, changes and writes an agent; again when somebody else has changed it in between.
  private static func change(
    _ call: OperationCall, _ body: (AgentRow) throws(Failure) -> AgentRow
  ) throws(Failure) -> AgentRow {
    for _ in 0..<tries {
      let changed = try body(try find(call.agentID, call))
      let isWritten = try call.store { () throws(StoreError) in
        try call.plane.store.updateAgent(
          changed, durable: call.plane.configuration.isDurable)
      }
      if isWritten { return changed }
    }
    throw Failure(.busy, "the agent is being changed by others all the time")
  }

  @Sendable private static func delete(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let row = try find(call.agentID, call)
    if JSON.trusted(row.document)["deletable"]?.bool == false { throw .api(403, "Agent is not deletable") }
    let waiting = try call.store { () throws(StoreError) in
      try call.plane.store.tasks(above: row.id, in: call.organizationID)
    }
    let isDeleted = try call.store { () throws(StoreError) in
      try call.plane.store.deleteAgent(
        row.id, in: call.organizationID, durable: call.plane.configuration.isDurable)
    }
    guard isDeleted else { throw .api(404, "Agent not found") }
    call.plane.runs.interruptRuns(ofAgent: row.id)
    call.plane.runs.goOnAbove(deleted: waiting, in: call.organizationID)
    return .none
  }
}
