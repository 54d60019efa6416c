import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// Tasks that go on from a record of another one.
extension RunDriver {
  /// The place behind a record; nil when there is no such task, or no such record.
  package func forkPoint(of id: String, in organization: String, at sequence: Int64) throws(RunError) -> ForkPoint? {
    guard sequence > 0 else { return nil }
    let found = try asStore { () throws(StoreError) in
      try store.progress(of: id, in: organization, after: sequence &- 1, isContinued: false, limit: sequence)
    }
    guard let found, sequence <= found.task.sequence else { return nil }
    let records = found.records.filter { $0.sequence <= sequence }
    let run = try withTools(try JournalCoding.fold(records), of: found.task)
    guard let first = records.first, let beginning = run.beginning else {
      throw .unreadable("record \(sequence) of task \(id) has no beginning")
    }
    return ForkPoint(task: found.task, sequence: sequence, first: first, run: run, beginning: beginning)
  }

  /// Makes a task of the records up to a place, and goes on with it, without anybody waiting for it: with the turn that was
  /// under way there, or with a further one where it was over. What tools had done by then is on record, and not done
  /// again; what they may have done is gone on with as after a crash. Gives the new task as it was accepted, once that is
  /// on record.
  ///
  /// - Parameter invocation: the new task: with the version of the agent that the turn runs with, with the instructions
  ///   that it has now, and with the request as the new task has it.
  package func fork(
    _ point: ForkPoint, _ change: ForkChange, as invocation: Invocation
  ) throws(RunError) -> TaskSnapshot {
    guard pool.isReady else { throw .tooMany(0) }
    let begun = try point.isEndOfTurn ? further(point, invocation) : same(point, change, invocation)
    for tool in begun.beginning.tools?.tools ?? [] where tool.agent == nil && tools.spec(tool.name) == nil {
      throw .toolMissing(tool.name)
    }
    try flights.reserve()
    let task: TaskRow?
    do throws(StoreError) {
      task = try store.fork(begun.start, durable: settings.isDurable)
    } catch {
      flights.giveBack()
      throw .store(error)
    }
    guard let task else {
      flights.giveBack()
      throw .deleted
    }
    counts.begin()
    // It may have to wait for what the other task waits for.
    resumes.keep(task)
    parkedWatch.start()
    do throws(RunError) {
      try goOnInPlace(with: task)
    } catch {
      // It is on record, and gone on with by who resumes what was put aside.
      log.write(.warning, "runs", "task \(task.id) waits for muster_resume: it could not be gone on with")
    }
    return TaskSnapshot(task: task.standing(.pending), beginning: begun.beginning, result: nil, subtasks: [])
  }

  private typealias Begun = (start: ForkStart, beginning: Beginning)

  /// Goes on with the turn that was under way.
  private func same(
    _ point: ForkPoint, _ change: ForkChange, _ invocation: Invocation
  ) throws(RunError) -> Begun {
    let limits = point.beginning.limits
    let body = try ForkedBeginning.body(of: point, change, invocation) { [settings] model throws(RunError) in
      try settings.price(of: model, under: limits)
    }
    var beginning: Beginning
    do throws(UnreadableRecord) {
      beginning = try Beginning(body)
    } catch {
      throw .unreadable("record \(point.first.sequence) of task \(point.task.id): \(error.what)")
    }
    if let list = point.beginning.tools { beginning = Beginning(beginning, tools: list) }
    return (
      start(
        point, invocation, turn: point.first.turn, first: point.first.sequence, startedAt: point.first.time,
        system: point.systemSequence(of: beginning), beginning: Array(body.bytes), entry: nil), beginning
    )
  }

  /// Begins a further turn.
  private func further(_ point: ForkPoint, _ invocation: Invocation) throws(RunError) -> Begun {
    let system = point.systemSequence(of: point.beginning)
    let known = point.task.standing(
      at: point.sequence, turn: point.first.turn, firstSequence: point.first.sequence, systemSequence: system)
    let (list, team) = try toolChoice.list(of: invocation.agent, in: invocation.organizationID)
    let beginning = try TurnBuilder(store: store, settings: settings).beginning(
      of: invocation, tools: list, team: team, isDetached: true, after: known)
    let sequence = point.sequence &+ 1
    var run = Run()
    let event = Event.began(beginning)
    let time = Timestamp.now()
    let entry = JournalCoding.entry(event, commands: run.apply(event, sequence: sequence), role: .user, at: time)
    let carriesSystem = if case .text = beginning.system { true } else { false }
    return (
      start(
        point, invocation, turn: point.first.turn &+ 1, first: sequence, startedAt: time,
        system: carriesSystem ? sequence : system, beginning: nil, entry: entry), beginning
    )
  }

  private func start(
    _ point: ForkPoint, _ invocation: Invocation, turn: Int64, first: Int64, startedAt: Timestamp, system: Int64?,
    beginning: [UInt8]?, entry: JournalEntry?
  ) -> ForkStart {
    let request = invocation.request
    return ForkStart(
      source: point.task, through: point.sequence, taskID: invocation.taskID, title: TurnBuilder.title(of: request),
      userID: request["input"]?["user"]?["id"]?.string, triggeringAgentID: request["triggering_agent_id"]?.string,
      turn: turn, firstSequence: first, startedAt: startedAt, systemSequence: system, beginning: beginning,
      entry: entry, idempotency: invocation.idempotency)
  }
}
