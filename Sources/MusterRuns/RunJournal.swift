import MusterEngine
import MusterHTTP
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem

/// One run with its journal: what whoever drives it needs to know and may write, and nothing that waits for a model.
struct RunJournal {
  let driver: RunDriver
  private(set) var task: TaskRow
  private(set) var run: Run
  private let agent: AgentConfiguration
  /// The text of the last event, if it was an answer or a part of one: the result, unless the end brings one of its own.
  private var answer: JSON?
  /// How the sub-tasks stood when the turn ended.
  private var subtasks: [Subtask] = []
  /// The time of the last record.
  private(set) var lastTime: Timestamp

  init(driver: RunDriver, begun: BegunTurn) {
    self.driver = driver
    agent = begun.agent
    task = begun.task
    run = begun.run
    lastTime = begun.task.updatedAt
  }

  /// What is to be done next; nil after the end.
  var command: Command? { run.openCommands.first }

  private var endOfSeconds: Timestamp? {
    guard let seconds = run.beginning?.limits.seconds, let start = task.startedAt else { return nil }
    let (length, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000)
    return isTooLong ? nil : Timestamp(microseconds: start.microseconds &+ length)
  }

  /// When the seconds are over that the run may take; nil when it may take any number.
  var secondsLimit: Deadline? {
    guard let end = endOfSeconds else { return nil }
    return .after(milliseconds: max((end.microseconds &- Timestamp.now().microseconds) / 1000 &+ 1, 0))
  }

  /// Whether the seconds are over, also if the clock that counts them is a little behind.
  var isOutOfSeconds: Bool {
    guard let end = endOfSeconds else { return false }
    return Timestamp.now().microseconds &+ RunJournal.leastMilliseconds &* 1000 >= end.microseconds
  }

  func beginning() throws(RunError) -> Beginning {
    guard let beginning = run.beginning else { throw .unreadable("the run of task \(task.id) did not begin") }
    return beginning
  }

  /// Writes an event with its commands, then takes it into the state. False when the task is not ours any more.
  mutating func record(_ event: Event) throws(RunError) -> Bool {
    var next = run
    let commands = next.apply(event, sequence: task.sequence &+ 1)
    var end: TurnEnd?
    if case .finished(let finish) = next.phase { end = JournalCoding.end(finish, next) }
    let answer: JSON?
    var role: JournalRecord.Role?
    switch event {
    case .modelAnswered(let answered):
      answer = answered.text
      role = end != nil && answered.calls.isEmpty ? .assistant : nil
    case .stopRequested(_, let text): answer = text
    case .toolReturned(let returned):
      // The last agent's answer is the result.
      answer = end?.status == .completed ? returned.content : nil
      role = end?.status == .completed ? .assistant : nil
    default: answer = nil
    }
    let time = Timestamp.now()
    let entry = JournalCoding.entry(event, commands: commands, role: role, at: time)
    let task = task
    let isOwed = isOwed(event, next: next)
    // Only an end is acknowledged to the caller; the steps before it may be lost with the power, the run is then interrupted anyway;
    // but for what tools do to the world.
    let written = try driver.asStore { () throws(StoreError) -> TaskRow? in
      guard let end else { return try driver.store.append(entry, to: task, durable: isOwed) }
      let ended = try driver.store.endTurn(of: task, with: entry, end, durable: driver.settings.isDurable)
      subtasks = ended?.subtasks ?? []
      return ended?.task
    }
    guard let written else { return false }
    if case .modelAnswered(let answered) = event {
      driver.counts.add(promptTokens: answered.promptTokens ?? 0, completionTokens: answered.completionTokens ?? 0)
    }
    if let end {
      driver.counts.end(end.status)
      // None is left that nobody waits for.
      if run.beginning?.team != nil {
        try? driver.stopSubtasks(of: written, because: written.isManuallyStopped ? .person : .parent)
      }
    }
    self.task = written
    lastTime = time
    self.answer = answer
    run = next
    return true
  }

  /// Whether an event has to be on disk before anything follows from it: that a tool is about to change something, at
  /// whatever durability, and that it has.
  private func isOwed(_ event: Event, next: Run) -> Bool {
    if case .toolReturned(let returned) = event, case .calling(let calls) = run.phase {
      return driver.settings.isDurable && RunJournal.changesSomething(returned.call, calls, run.beginning?.tools)
    }
    guard case .modelAnswered = event, case .calling(let calls) = next.phase else { return false }
    return calls.requests.indices.contains { RunJournal.changesSomething($0, calls, run.beginning?.tools) }
  }

  /// Whether a call is made, of a tool that does not only read.
  static func changesSomething(_ call: Int, _ calls: OpenCalls, _ tools: ToolList?) -> Bool {
    guard case .callTool? = calls.command(call) else { return false }
    let tool = tools?.tool(calls.requests[call].name)
    // A sub-task keeps its own journal, and is found again by its call.
    return tool?.effect != ToolDeclaration.Effect.none && tool?.agent == nil
  }

  /// Puts the task aside: `pending` until somebody goes on with it, `paused` until a person has decided. False when it is
  /// not ours any more.
  mutating func park(_ status: TaskStatus) throws(RunError) -> Bool {
    let task = task
    // Before anybody can see it: who decides at once finds it kept.
    driver.resumes.keep(task)
    let written: TaskRow?
    do throws(RunError) {
      written = try driver.asStore { () throws(StoreError) in
        try driver.store.park(task, as: status, with: nil, durable: driver.settings.isDurable)
      }
    } catch {
      driver.resumes.forget(task)
      throw error
    }
    guard let written else {
      driver.resumes.forget(task)
      return false
    }
    self.task = written
    driver.parkedWatch.start()
    return true
  }

  /// The task as it waits for a person.
  func paused() throws(RunError) -> TaskSnapshot {
    let task = task
    let beginning = try beginning()
    let subtasks =
      beginning.team == nil
      ? []
      : try driver.asStore { () throws(StoreError) in
        try driver.store.subtaskList(of: task.id, in: task.organizationID)
      }
    return TaskSnapshot(paused: task, beginning: beginning, request: PersonRequest(run), subtasks: subtasks)
  }

  /// The task as this run ended it, also when another turn has begun since.
  func finished(_ finish: Command.Finish) throws(RunError) -> TaskSnapshot {
    TaskSnapshot(
      task: task, beginning: try beginning(), result: finish.result.map { JSON.string($0) } ?? answer,
      subtasks: subtasks)
  }

  /// Somebody else ended the turn: gives what they made of it, also when another turn has begun since.
  func lost() throws(RunError) -> TaskSnapshot {
    guard let now = try driver.snapshot(task.id, in: task.organizationID), now.task.key == task.key else {
      throw .deleted
    }
    if now.task.turn == task.turn { return now }
    let reading = JournalReading(driver: driver, organizationID: task.organizationID, taskID: task.id)
    var place = EventPosition(sequence: task.firstSequence)
    while true {
      switch try reading.next(after: place, key: task.key, lastTurn: task.turn) {
      case .event(let event, _):
        place = event.position
        continue
      case .end(let event): if case .finished(let snapshot) = event.content { return snapshot }
      case .gone, .running: break
      }
      throw .deleted
    }
  }

  /// The beginning without the text of the system message, which is in the turn's first record and may be long. It is the
  /// run's own from the next question on.
  func slimBeginning() throws(RunError) -> Beginning {
    let beginning = try beginning()
    guard case .text = beginning.system else { return beginning }
    return Beginning(beginning, systemRecord: task.firstSequence)
  }

  /// Lets go of what was needed for the first question alone.
  mutating func slim(_ beginning: Beginning) { run.restate(beginning) }

  // MARK: - Models

  /// What the model is asked, or the failure that it is not asked at all.
  func question(_ command: Command) throws(RunError) -> Result<ModelRequest, ModelFailure> {
    let beginning = try beginning()
    let conversation = Conversation(store: driver.store, task: task)
    var isSummary = false
    let messages: [ModelMessage]
    switch command {
    case .summarize:
      isSummary = true
      messages = try conversation.summaryQuestion(for: beginning)
    case .askModel(_, let repair):
      messages = try conversation.messages(
        for: beginning, repair: repair, hasCalls: run.toolCalls > 0, summary: run.summary)
    default: throw .unreadable("task \(task.id) does not ask its model")
    }
    let hasTools = !isSummary && beginning.team?.kind != .sequence
    do throws(ModelFailure) {
      let endpoint = try endpoint(beginning)
      return .success(
        ModelRequest(
          endpoint: endpoint, model: beginning.model, messages: messages,
          format: beginning.format == .json && !isSummary ? .json(schema: beginning.schema) : .text,
          tools: (hasTools ? beginning.tools?.tools ?? [] : []).map {
            ModelTool(name: $0.name, description: $0.description, parameters: $0.parameters)
          },
          reasoningEffort: beginning.reasoningEffort, mostTokens: run.tokensLeft,
          // A policy that this version cannot read is one with more to allow: what it knows of that is nothing.
          network: endpoint.isOwn ? .open : NetworkPolicy(text: beginning.network) ?? .public))
    } catch {
      return .failure(error)
    }
  }

  private func endpoint(_ beginning: Beginning) throws(ModelFailure) -> ModelEndpoint {
    // Address and credential of the agent belong to its own provider.
    let isOwn = beginning.provider == agent.provider
    return try ModelEndpointResolver.resolve(
      provider: beginning.provider, agentBase: isOwn ? agent.base : nil,
      agentKey: isOwn ? agent.key : nil,
      extraHeaders: isOwn ? agent.extraHeaders : [],
      ownDefault: (driver.settings.defaultProvider, driver.settings.defaultBase),
      environment: { Environment.value($0) })
  }

  /// The event that an answer is.
  func event(of answer: ModelAnswer) -> Event {
    .modelAnswered(
      ModelAnswered(
        text: answer.text, finishReason: answer.finishReason, model: answer.model,
        promptTokens: answer.hasUsage ? answer.promptTokens : nil,
        completionTokens: answer.hasUsage ? answer.completionTokens : nil,
        calls: answer.calls.map {
          ToolRequest(id: $0.id, name: $0.name, arguments: $0.arguments, opaque: $0.opaque)
        },
        opaque: answer.opaque, key: answer.calls.isEmpty ? nil : Identifier.make()))
  }

  /// A run with less time than this has none left.
  private static let leastMilliseconds: Int64 = 20

  /// The event that a failed attempt is; nil when it was the caller, its time, or the loss of the task that ended it.
  func event(of failure: ModelFailure, deadline: Deadline) -> Event? {
    let kind: ModelFailed.Kind
    switch failure.kind {
    case .interrupted, .abandoned: return nil
    case .timedOut:
      // The connection counts whole milliseconds and may be early: what is left then is no time for anything.
      if (deadline.remainingMilliseconds ?? .max) <= RunJournal.leastMilliseconds { return nil }
      kind = .timeout
    case .unreachable: kind = .unreachable
    case .rateLimited, .http: kind = .http
    case .invalidAnswer: kind = .invalid
    case .refused, .filtered: kind = .refused
    case .notConfigured: kind = .notConfigured
    case .forbidden: kind = .forbidden
    }
    driver.log.write(.warning, "runs", "task \(task.id): \(failure.message)")
    return .modelFailed(
      ModelFailed(
        kind: kind, httpStatus: failure.httpStatus.map { Int64($0) }, message: failure.message,
        isTransient: failure.isTransient, retryAfterMilliseconds: failure.retryAfterMilliseconds,
        jitter: Int64(Random.below(1000))))
  }
}
