import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// The operations on tasks. Source: the contract's chapter on tasks.
enum TaskOperations {
  /// The filters of both lists of tasks.
  static let filters: [Operation.Parameter] = [
    .init("user_id", .query, "Only tasks of this user.", #"{"type":"string"}"#),
    .init("parent_task_id", .query, "Only sub-tasks of this task.", #"{"type":"string"}"#),
    .init("triggering_agent_id", .query, "Only tasks that this agent triggered.", #"{"type":"string"}"#),
    .init("status", .query, "Only tasks in this status.", #"{"type":"string","enum":\#(TaskSchemas.statuses)}"#),
    .init("internal_status", .query, "Only tasks with this internal status.", #"{"type":"string"}"#),
  ]

  static let all: [Operation] = [
    Operation(
      "tasks.list", "GET", "/v1/tasks", "Lists tasks, the last changed first.",
      parameters: Operation.Parameter.paging
        + [.init("agent_id", .query, "Only tasks of this agent.", #"{"type":"string"}"#)] + filters + [
          .init(
            "from_date", .query, "Only tasks made at this time or later.", #"{"type":"string","format":"date-time"}"#),
          .init(
            "to_date", .query, "Only tasks made at this time or earlier.", #"{"type":"string","format":"date-time"}"#),
        ], answer: "TasksListItemPage", handler: list),
    Operation(
      "tasks.get", "GET", "/v1/tasks/{task_id}", "Gives a task with input and result of its latest turn.",
      parameters: [.taskID], answer: "AgentExecution", handler: get),
    Operation(
      "tasks.stop", "POST", "/v1/tasks/{task_id}/stop",
      "Stops a running task, wherever it runs; one that has ended is given unchanged.", parameters: [.taskID],
      answer: "AgentExecution", handler: stop),
    Operation(
      "tasks.approve", "POST", "/v1/tasks/{task_id}/approve",
      "Lets a paused task go on: with the call that it asked about, or with what became of it; or gives it up. It"
        + " goes on in the process that decides, if that has its tools.",
      parameters: [.taskID],
      body: .init("ApproveTask", example: "{}"), answer: "AgentExecution", isExtension: true, failures: [409],
      handler: DecisionOperations.approve),
    Operation(
      "tasks.reject", "POST", "/v1/tasks/{task_id}/reject",
      "Declines the call that a paused task asked about: the model is told. Where it was asked what became of a call, the"
        + " task ends, `failed`.",
      parameters: [.taskID], body: .init("RejectTask", example: "{}"), answer: "AgentExecution", isExtension: true,
      failures: [409], handler: DecisionOperations.reject),
    Operation(
      "tasks.delete", "DELETE", "/v1/tasks/{task_id}",
      "Removes a task and its sub-tasks for good; it is stopped first.",
      parameters: [.taskID], answer: nil, success: 204, handler: delete),
    Operation(
      "tasks.thread", "GET", "/v1/tasks/{task_id}/thread", "Gives the prompts and answers of a task's conversation.",
      parameters: [.taskID], answer: "Thread", handler: thread),
    Operation(
      "tasks.thread_full", "GET", "/v1/tasks/{task_id}/thread/full",
      "Gives every message of a task and of its sub-tasks: `root`, and a list for each sub-task's id.",
      parameters: [.taskID], answer: "FullThread", handler: threadFull),
    Operation(
      "tasks.events", "GET", "/v1/tasks/{task_id}/events",
      "Follows a task, running or ended: its events from a place on, until its last turn has ended.",
      parameters: [
        .taskID,
        .init(
          "after", .query,
          "Only what comes behind the event with this id: the number of a journal record, or as events carry it. From the"
            + " first event by default.",
          #"{"type":["string","integer"],"minimum":0,"default":0}"#),
      ], answer: "TaskEvents", isExtension: true, form: .events, handler: EventCollector.collect),
    Operation(
      "tasks.activity", "GET", "/v1/tasks/{task_id}/activity",
      "Gives what was said and done in a task: prompts, answers (those that were cut off too), calls of tools, and agents that were started.",
      parameters: [.taskID],
      answer: "TaskActivity", isExtension: true, handler: TaskActivityOperation.run),
    Operation(
      "tasks.fork", "POST", "/v1/tasks/{task_id}/fork",
      "Makes a new task that has what a task had come to behind one of its events, and goes on from there; gives it as it was"
        + " accepted, `pending`. The other task stays as it is.",
      parameters: [.taskID],
      body: .init("ForkTask", example: #"{"event":2,"input":{"text":"And what is the capital of Spain?"}}"#),
      answer: "AgentExecution", isExtension: true, failures: [501], repetition: .remembered,
      handler: ForkOperation.run),
    Operation(
      "tasks.replay", "GET", "/v1/tasks/{task_id}/replay",
      "Runs a task again from its journal, with the recorded answers of models, tools and people: gives its events, and"
        + " whether this version makes the same of them.",
      parameters: [.taskID], answer: "TaskReplay", isExtension: true, failures: [504], handler: ReplayOperation.run),
  ]

  static func find(_ id: String, _ call: OperationCall) throws(Failure) -> TaskRow {
    let lookup: Lookup<TaskRow>
    do throws(StoreError) {
      lookup = try call.plane.store.task(id, in: call.organizationID)
    } catch {
      throw Failure(error)
    }
    switch lookup {
    case .found(let row): return row
    case .foreign: throw .api(403, "Task belongs to another organization")
    case .missing: throw .api(404, "Task not found")
    }
  }

  // MARK: - Lists

  @Sendable private static func list(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    .json(try page(call, agentID: call.string("agent_id")))
  }

  /// A page of tasks with the filters of the call.
  static func page(_ call: OperationCall, agentID: String?) throws(Failure) -> [UInt8] {
    var filter = TaskFilter()
    filter.agentID = agentID
    filter.agents = call.caller.agents
    filter.userID = call.string("user_id")
    filter.parentID = call.string("parent_task_id")
    filter.triggeringAgentID = call.string("triggering_agent_id")
    filter.status = call.string("status").flatMap { TaskStatus(word: $0) }
    filter.internalStatus = call.string("internal_status")
    filter.from = try date("from_date", call)
    filter.to = try date("to_date", call)
    let wanted = filter
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.tasks(
        PageRequest(page: call.page, perPage: call.perPage), matching: wanted, in: call.organizationID)
    }
    return PageDocument.make(
      items: found.rows.map { TaskDocument.item($0) }, total: found.total, page: call.page, perPage: call.perPage)
  }

  private static func date(_ name: String, _ call: OperationCall) throws(Failure) -> Timestamp? {
    guard let text = call.string(name) else { return nil }
    guard let time = Timestamp(iso8601: text) else {
      throw .validation([.key("query"), .key(name)], "invalid datetime format", type: "value_error.datetime")
    }
    return time
  }

  // MARK: - One task

  @Sendable private static func get(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    .json(try document(call.taskID, call))
  }

  private static func document(_ id: String, _ call: OperationCall) throws(Failure) -> [UInt8] {
    let snapshot: TaskSnapshot?
    do throws(RunError) {
      snapshot = try call.plane.runs.snapshot(id, in: call.organizationID)
    } catch {
      throw Failure(error)
    }
    if let snapshot { return try TaskDocument.make(snapshot) }
    // Gone, or somebody else's: the look-up says which.
    _ = try find(id, call)
    throw .api(404, "Task not found")
  }

  @Sendable private static func stop(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try find(call.taskID, call)
    let snapshot: TaskSnapshot?
    do throws(RunError) {
      snapshot = try call.plane.runs.stop(task.id, in: call.organizationID)
    } catch {
      throw Failure(error)
    }
    guard let snapshot else { throw .api(404, "Task not found") }
    return .json(try TaskDocument.make(snapshot))
  }

  @Sendable private static func delete(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try find(call.taskID, call)
    let answered = call.plane.runs.answeredCall(of: task)
    let removed = try call.store { () throws(StoreError) in
      try call.plane.store.deleteTask(
        task.id, in: call.organizationID, onlyOf: call.caller.agents, answering: answered,
        durable: call.plane.configuration.isDurable)
    }
    guard let removed else { throw Authorization.otherAgent }
    if removed.isEmpty { throw .api(404, "Task not found") }
    for id in removed { call.plane.runs.interruptDeleted(id, in: call.organizationID) }
    if let parent = task.parentID { call.plane.runs.goOnAbove(deleted: [parent], in: call.organizationID) }
    return .none
  }

  // MARK: - Threads

  @Sendable private static func thread(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try find(call.taskID, call)
    var writer = JSONWriter(capacity: 4096)
    ThreadDocument.write(try messages(task, call), of: task, to: &writer)
    return .json(writer.bytes)
  }

  @Sendable private static func threadFull(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let root = try find(call.taskID, call)
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.key("root")
    try write(root, call, to: &writer)
    var open = [root.id]
    var seen: Set<String> = [root.id]
    while let parent = open.popLast() {
      let subtasks = try call.store { () throws(StoreError) in
        try call.plane.store.subtasks(of: parent, in: call.organizationID)
      }
      for task in subtasks where seen.insert(task.id).inserted && call.caller.mayUse(agent: task.agentID) {
        writer.key(text: task.id)
        try write(task, call, to: &writer)
        open.append(task.id)
      }
    }
    writer.endObject()
    return .json(writer.bytes)
  }

  /// Every message of a task, with what tools have answered.
  private static func write(_ task: TaskRow, _ call: OperationCall, to writer: inout JSONWriter) throws(Failure) {
    let records = try call.store { () throws(StoreError) in try call.plane.store.texts(of: task) }
    do throws(RunError) {
      try ThreadDocument.writeFull(records, of: task, to: &writer)
    } catch {
      throw Failure(error)
    }
  }

  private static func messages(_ task: TaskRow, _ call: OperationCall) throws(Failure) -> [JournalRecord] {
    try call.store { () throws(StoreError) in try call.plane.store.messages(of: task, fromTurn: 1) }
  }
}
