import MusterEngine
import MusterHTTP
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem

/// Drives one run on the caller's thread.
struct RunPump {
  let driver: RunDriver
  let agent: AgentConfiguration
  let deadline: Deadline
  let interrupt: Interrupt
  private var task: TaskRow
  private var run: Run
  private let watch: TaskWatch
  /// The text of the last event, if it was an answer: the result, unless the end brings one of its own.
  private var answer: JSON?
  /// How the sub-tasks stood when the turn ended.
  private var subtasks: [Subtask] = []

  init(driver: RunDriver, begun: BegunTurn, deadline: Deadline, interrupt: Interrupt) {
    self.driver = driver
    agent = begun.agent
    self.deadline = deadline
    self.interrupt = interrupt
    task = begun.task
    run = begun.run
    watch = TaskWatch(store: driver.store, task: begun.task)
  }

  /// Why a command gave no event of its own.
  private enum Disturbance {
    case interrupted(Interrupt.Reason)
    case timedOut
    /// The task is not ours any more.
    case lost
  }

  private enum Outcome {
    case event(Event)
    case disturbed(Disturbance)
  }

  /// Performs the run's commands until it has ended.
  mutating func drive() throws(RunError) -> TaskSnapshot {
    do throws(RunError) {
      return try pump()
    } catch {
      switch error {
      case .store, .unreadable: driver.addStray(task)
      default: break
      }
      throw error
    }
  }

  private mutating func pump() throws(RunError) -> TaskSnapshot {
    while let command = run.openCommands.first {
      let outcome: Outcome
      switch command {
      case .finish(let finish): return try finished(finish)
      case .askModel(_, let repair): outcome = try ask(repair: repair)
      case .wait(let milliseconds): outcome = wait(milliseconds)
      }
      switch outcome {
      case .event(let event):
        guard try record(event) else { return try lost() }
      case .disturbed(.lost): return try lost()
      case .disturbed(.timedOut):
        guard try record(.stopRequested(.timeout)) else { return try lost() }
        throw .timedOut(taskID: task.id)
      case .disturbed(.interrupted(let reason)):
        switch reason {
        case .stopped:
          // Whoever stopped it has ended the task already. Should it be ours all the same, it must not stay behind
          // unfinished.
          _ = try record(.stopRequested(.person))
          return try lost()
        case .cancelled:
          guard try record(.stopRequested(.cancelled)) else { return try lost() }
        case .closing:
          guard try record(.interrupted) else { return try lost() }
        }
        throw .interrupted(reason, taskID: task.id)
      }
    }
    throw .unreadable("the run of task \(task.id) has no command")
  }

  /// Writes an event with its commands, then takes it into the state. False when the task is not ours any more.
  private mutating func record(_ event: Event) throws(RunError) -> Bool {
    var next = run
    let commands = next.apply(event, sequence: task.sequence &+ 1)
    var end: TurnEnd?
    if case .finished(let finish) = next.phase { end = JournalCoding.end(finish, next) }
    let answer: JSON? = if case .modelAnswered(let answered) = event { answered.text } else { nil }
    let role: JournalRecord.Role? = answer != nil && end != nil ? .assistant : nil
    let entry = JournalCoding.entry(event, commands: commands, role: role, at: .now())
    let task = task
    // Only an end is acknowledged to the caller; the steps before it may be lost with the power, the run is then interrupted anyway.
    let written = try driver.asStore { () throws(StoreError) -> TaskRow? in
      guard let end else { return try driver.store.append(entry, to: task, durable: false) }
      let ended = try driver.store.endTurn(of: task, with: entry, end, durable: driver.settings.isDurable)
      subtasks = ended?.subtasks ?? []
      return ended?.task
    }
    guard let written else { return false }
    if case .modelAnswered(let answered) = event {
      driver.counts.add(promptTokens: answered.promptTokens ?? 0, completionTokens: answered.completionTokens ?? 0)
    }
    if let end { driver.counts.end(end.status) }
    self.task = written
    self.answer = answer
    run = next
    return true
  }

  /// The task as this run ended it, also when another turn has begun since.
  private func finished(_ finish: Command.Finish) throws(RunError) -> TaskSnapshot {
    guard let beginning = run.beginning else { throw .unreadable("the run of task \(task.id) did not begin") }
    return TaskSnapshot(
      task: task, beginning: beginning, result: finish.result.map { JSON.string($0) } ?? answer, subtasks: subtasks)
  }

  /// Somebody else ended the task: gives what they made of it.
  private func lost() throws(RunError) -> TaskSnapshot {
    guard let snapshot = try driver.snapshot(task.id, in: task.organizationID) else { throw .deleted }
    return snapshot
  }

  // MARK: - Commands

  private func wait(_ milliseconds: Int64) -> Outcome {
    let end = Deadline.after(milliseconds: milliseconds)
    while !end.hasPassed {
      let step = end.earlier(deadline).earlier(.after(milliseconds: 50))
      if Sleep.sleep(until: step, interrupt: interrupt), let reason = interrupt.reason {
        return .disturbed(.interrupted(reason))
      }
      if deadline.hasPassed { return .disturbed(.timedOut) }
      if !watch.isStillOurs() { return .disturbed(.lost) }
    }
    return .event(.waited)
  }

  private func ask(repair: Command.Repair?) throws(RunError) -> Outcome {
    guard let beginning = run.beginning else { throw .unreadable("the run of task \(task.id) did not begin") }
    let messages = try Conversation(store: driver.store, task: task).messages(for: beginning, repair: repair)
    do throws(ModelFailure) {
      let endpoint = try endpoint(beginning)
      let request = ModelRequest(
        endpoint: endpoint, model: beginning.model, messages: messages,
        format: beginning.format == .json ? .json(schema: beginning.schema) : .text,
        reasoningEffort: beginning.reasoningEffort,
        // A policy that this version cannot read is one with more to allow: what it knows of that is nothing.
        network: endpoint.isOwn ? .open : NetworkPolicy(text: beginning.network) ?? .public)
      let answer = try driver.models.ask(request, deadline: deadline, interrupt: interrupt, tick: watch.isStillOurs)
      return .event(
        .modelAnswered(
          ModelAnswered(
            text: answer.text, finishReason: answer.finishReason, model: answer.model,
            promptTokens: answer.hasUsage ? answer.promptTokens : nil,
            completionTokens: answer.hasUsage ? answer.completionTokens : nil)))
    } catch {
      return outcome(of: error)
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

  private func outcome(of failure: ModelFailure) -> Outcome {
    let kind: ModelFailed.Kind
    switch failure.kind {
    case .interrupted(let reason): return .disturbed(.interrupted(reason))
    case .abandoned: return .disturbed(.lost)
    case .timedOut:
      if deadline.hasPassed { return .disturbed(.timedOut) }
      kind = .timeout
    case .unreachable: kind = .unreachable
    case .rateLimited, .http: kind = .http
    case .invalidAnswer: kind = .invalid
    case .refused, .filtered: kind = .refused
    case .notConfigured: kind = .notConfigured
    case .forbidden: kind = .forbidden
    }
    driver.log.write(.warning, "runs", "task \(task.id): \(failure.message)")
    return .event(
      .modelFailed(
        ModelFailed(
          kind: kind, httpStatus: failure.httpStatus.map { Int64($0) }, message: failure.message,
          isTransient: failure.isTransient, retryAfterMilliseconds: failure.retryAfterMilliseconds,
          jitter: Int64(Random.below(1000)))))
  }
}
