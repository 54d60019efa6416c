import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem

/// A call that is a sub-task: of which agent, in which thread, and what it is told.
struct SubtaskOrder: Sendable {
  let callID: String
  let agentID: String
  let parent: TaskRow
  /// The thread that it goes on with, or begins.
  let taskID: String
  let request: JSON
  let delegated: Delegated
  let network: String
  let deadline: Deadline
  let isDetached: Bool
  /// Whether the call may have been made before.
  let isRepeat: Bool
}

/// Makes the orders of the sub-tasks that one answer of a model, or a step of a sequence, asks for.
struct SubtaskPlanner {
  let driver: RunDriver
  let task: TaskRow
  let run: Run
  let calls: OpenCalls
  let deadline: Deadline

  /// - Parameter call: of a tool that stands for an agent.
  func order(_ call: Int, _ agent: String, isRepeat: Bool) throws(RunError) -> SubtaskOrder {
    guard let beginning = run.beginning, let team = beginning.team, calls.requests.indices.contains(call) else {
      throw .unreadable("task \(task.id) has no team")
    }
    let (text, context) = try prompt(call, beginning, team)
    let id = try thread(call, agent, team, isRepeat: isRepeat)
    return SubtaskOrder(
      callID: calls.id(call), agentID: agent, parent: task, taskID: id,
      request: request(text, context, beginning),
      delegated: Delegated(
        call: calls.id(call), depth: (beginning.delegated?.depth ?? 0) &+ 1, memory: memory(beginning, team)),
      network: beginning.network, deadline: deadline, isDetached: run.isDetached, isRepeat: isRepeat)
  }

  // MARK: - What it is told

  /// The prompt, and what stands among the instructions.
  private func prompt(
    _ call: Int, _ beginning: Beginning, _ team: Team
  ) throws(RunError) -> (text: String, context: String?) {
    let original = beginning.request["input"]?["text"]?.string ?? ""
    if team.kind == .sequence {
      if call == 0 || team.memory == .originalInput { return (original, nil) }
      let answers = try answers()
      let told = team.memory == .full ? answers : answers.suffix(1)
      return (([original] + told).joined(separator: "\n"), nil)
    }
    let arguments = try? JSON.parse(calls.requests[call].arguments.utf8 ?? [])
    let asked = arguments?["task"]?.string ?? ""
    if team.memory == .originalInput { return (original, asked) }
    // What was said is no more than the prompt: it needs no summary.
    return (hasHistory(beginning) ? asked : "\(original)\n\nTask: \(asked)", nil)
  }

  /// What the agents before have answered in this turn.
  private func answers() throws(RunError) -> [String] {
    var texts: [String] = []
    for record in try driver.asStore({ () throws(StoreError) in try driver.store.recordsOfTurn(task) }) {
      if let returned = JournalCoding.returned(record), let text = returned.content.string { texts.append(text) }
    }
    return texts
  }

  /// Whether more was said in the thread than the prompt of this turn.
  private func hasHistory(_ beginning: Beginning) -> Bool {
    beginning.historyFromTurn != nil || beginning.delegated.map { $0.memory != .none } ?? false
      || run.toolCalls > Int64(calls.requests.count)
  }

  private func memory(_ beginning: Beginning, _ team: Team) -> Delegated.Memory {
    guard hasHistory(beginning) else { return .none }
    let source = Delegated.Source(task: task.id, turn: task.turn, sequence: calls.sequence)
    switch team.memory {
    case .originalInput: return .none
    case .full: return .full(source)
    case .summarization: return .summary(source)
    }
  }

  private func request(_ text: String, _ context: String?, _ beginning: Beginning) -> JSON {
    let input = beginning.request["input"]
    var writer = JSONWriter(capacity: text.utf8.count &+ 512)
    writer.beginObject()
    writer.key("input")
    writer.beginObject()
    writer.member("text", text)
    writer.memberIfPresent("files", input?.present("files"))
    writer.memberIfPresent("user", input?.present("user"))
    writer.endObject()
    if let context { writer.member("additional_context", context) }
    writer.member("parent_execution_id", task.id)
    writer.member("triggering_agent_id", task.agentID)
    writer.endObject()
    return writer.json
  }

  /// What it may use up: its share of what is left to this run.
  var limits: Limits {
    let tools = run.beginning?.tools
    let count = calls.requests.count { tools?.tool($0.name)?.agent != nil }
    let isSequence = run.beginning?.team?.kind == .sequence
    return (run.beginning?.limits ?? Limits()).share(after: run.usageBeforeCalls, among: isSequence ? 1 : count)
  }

  // MARK: - Its thread

  /// An agent has one thread of its own within the leader's, if the leader wants that; of the calls that are made at the same
  /// time the first goes on with it.
  private func thread(_ call: Int, _ agent: String, _ team: Team, isRepeat: Bool) throws(RunError) -> String {
    let fresh = calls.id(call)
    guard team.isContinuous else { return fresh }
    if isRepeat, let known = try madeBefore(call, agent) { return known }
    let tools = run.beginning?.tools
    for earlier in calls.requests.prefix(call) where tools?.tool(earlier.name)?.agent == agent { return fresh }
    let subtasks = try driver.asStore { () throws(StoreError) in
      try driver.store.subtasks(of: task.id, in: task.organizationID)
    }
    for subtask in subtasks where subtask.agentID == agent {
      if try driver.delegated(subtask) != nil { return subtask.id }
    }
    return fresh
  }

  /// The thread in which a call was made that is made again: also where that has gone on since, and where it was made by the
  /// task that this one was forked from.
  private func madeBefore(_ call: Int, _ agent: String) throws(RunError) -> String? {
    for parent in try driver.lineage(task) {
      if let known = try made(calls.id(call), by: parent.id, agent) { return known }
    }
    return nil
  }

  // In line with the loop around it, this stops the optimizer of Swift 6.3 with an ownership error.
  @inline(never)
  private func made(_ call: String, by parent: String, _ agent: String) throws(RunError) -> String? {
    let subtasks = try driver.asStore { () throws(StoreError) in
      try driver.store.subtasks(of: parent, in: task.organizationID)
    }
    for subtask in subtasks where subtask.agentID == agent {
      if try driver.answers(subtask, call) { return subtask.id }
    }
    return nil
  }
}
