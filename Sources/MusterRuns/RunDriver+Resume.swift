package import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// Going on with runs whose process has ended, or that waited for a person.
extension RunDriver {
  /// Goes on with every run that was put aside and that nobody goes on with, as far as the tools that it needs are
  /// registered; from now on also with those whose tools come later.
  package func resume() throws(RunError) {
    resumes.begin()
    for task in try asStore({ () throws(StoreError) in try store.abandonedTasks() }) where try !park(task) {
      _ = try end(task, with: .interrupted)
    }
    try resumeParked()
  }

  /// A tool was registered: runs may wait for it.
  package func toolCame() {
    guard resumes.isOn else { return }
    do throws(RunError) {
      try resumeParked()
    } catch {
      log.write(.warning, "runs", "runs that were put aside are not gone on with: the store cannot be read")
    }
  }

  private func resumeParked() throws(RunError) {
    for task in try asStore({ () throws(StoreError) in try store.parkedTasks() }) { try resume(task) }
  }

  /// Goes on with a task if it was put aside.
  func resume(_ id: String, in organization: String) throws(RunError) {
    guard let task = try found(id, in: organization), task.owner == nil, task.status == .pending else { return }
    try resume(task)
  }

  /// `hasPlace`: whether a place for the run is kept, which is given back if it does not begin.
  func resume(_ task: TaskRow, hasPlace: Bool = false) throws(RunError) {
    var isKept = hasPlace
    defer { if isKept { flights.giveBack() } }
    let run = try fold(task)
    let missing = (run.beginning?.tools?.tools ?? []).first {
      $0.agent == nil && tools.spec($0.name) == nil
    }
    if let missing {
      log.write(.info, "runs", "task \(task.id) waits for the tool \(missing.name)")
      return
    }
    guard pool.isReady else { throw .tooMany(0) }
    // Of two that go on with it at the same time one finds that it is gone.
    guard resumes.take(task) else { return }
    let flight = RunFlight(
      resuming: task, driver: self, deadline: .after(milliseconds: settings.runTimeoutMilliseconds),
      interrupt: Interrupt())
    do throws(RunError) {
      try flights.add(flight, hasPlace: hasPlace)
    } catch {
      resumes.giveBack(task)
      throw error
    }
    isKept = false
    watch.start()
    flight.launch()
  }

  /// Takes a task that was put aside in hand; nil when somebody else has.
  func adopt(_ parked: TaskRow) throws(RunError) -> BegunTurn? {
    defer { resumes.giveBack(parked) }
    let adopted = try asStore { () throws(StoreError) in try store.adopt(parked) }
    guard let adopted else { return nil }
    var run = try fold(adopted)
    guard let beginning = run.beginning else { throw .unreadable("task \(adopted.id) has no beginning") }
    let sequence = adopted.sequence &+ 1
    let commands = run.apply(.resumed, sequence: sequence)
    let entry = JournalCoding.entry(.resumed, commands: commands, role: nil, at: .now())
    let isOwed = doesAnew(commands, of: run)
    let task = try asStore { () throws(StoreError) in try store.append(entry, to: adopted, durable: isOwed) }
    guard let task else { return nil }
    log.write(.info, "runs", "task \(task.id) goes on")
    return BegunTurn(task: task, run: run, agent: try agent(of: task, beginning))
  }

  /// Whether tools are called that may not be called twice. Without the record that it goes on the run would seem not to
  /// have followed the decision to do so.
  private func doesAnew(_ commands: [Command], of run: Run) -> Bool {
    guard case .calling(let calls) = run.phase else { return false }
    return commands.contains { command in
      guard case .callTool(let call, let manner) = command, manner != .probe, calls.requests.indices.contains(call)
      else { return false }
      let effect = run.beginning?.tools?.tool(calls.requests[call].name)?.effect
      return effect != ToolDeclaration.Effect.none && effect != .idempotent
    }
  }

  /// The version of the agent that a turn runs with.
  private func agent(of task: TaskRow, _ beginning: Beginning) throws(RunError) -> AgentConfiguration {
    let id = task.agentID
    let organization = task.organizationID
    let number = Int64(beginning.agentVersion)
    let found = try asStore { () throws(StoreError) -> AgentConfiguration? in
      if let number, let version = try store.agentVersion(number, of: id, in: organization) {
        return AgentConfiguration(document: .trusted(version.document), secrets: version.secrets.map { .trusted($0) })
      }
      guard case .found(let row) = try store.agent(id, in: organization) else { return nil }
      return AgentConfiguration(document: .trusted(row.document), secrets: row.secrets.map { .trusted($0) })
    }
    guard let found else { throw .agentDeleted }
    return found
  }

  /// The run of a task's latest turn, with its tools.
  func fold(_ task: TaskRow) throws(RunError) -> Run {
    let records = try asStore { () throws(StoreError) in try store.recordsOfTurn(task) }
    return try withTools(try JournalCoding.fold(records), of: task)
  }

  /// A run with the tools that its beginning may name by their record.
  func withTools(_ folded: Run, of task: TaskRow) throws(RunError) -> Run {
    var run = folded
    guard let beginning = run.beginning, beginning.tools == nil, let sequence = beginning.toolsRecord else {
      return run
    }
    let record = try asStore { () throws(StoreError) in try store.record(sequence, of: task) }
    guard let record, let list = JSON.trusted(record.body)["tools"] else {
      throw .unreadable("record \(sequence) of task \(task.id) holds no tools")
    }
    do throws(UnreadableRecord) {
      run.restate(Beginning(beginning, tools: try ToolList(list)))
    } catch {
      throw .unreadable("record \(sequence) of task \(task.id): \(error.what)")
    }
    return run
  }

  /// Puts a task aside whose process has ended, if it is one that can be gone on with. A task that was put aside already is
  /// one, too.
  func park(_ task: TaskRow) throws(RunError) -> Bool {
    if task.owner == nil, task.status == .pending { return true }
    let run: Run
    do throws(RunError) {
      run = try fold(task)
    } catch {
      if case .unreadable = error { return false }
      throw error
    }
    guard run.isDetached else { return false }
    return try asStore { () throws(StoreError) in
      try store.park(task, as: .pending, with: nil, durable: settings.isDurable)
    } != nil
  }

  // MARK: - People

  /// What became of a decision.
  package enum DecisionOutcome: Sendable {
    case taken(TaskSnapshot)
    /// There is no such task.
    case missing
    /// The task waits for no decision, or not for this one.
    case notAsked
  }

  /// Takes a person's decision about a task that is paused, and goes on with it. `request`: the id of the call; nil: the
  /// first that waits. `answer`: what is to be done, by what was asked.
  package func decide(
    _ id: String, in organization: String, request: String?, comment: String?, user: String?,
    _ answer: (Command.Question) -> Decision.Answer?
  ) throws(RunError) -> DecisionOutcome {
    while true {
      guard let task = try found(id, in: organization) else { return .missing }
      guard task.status == .paused else { return .notAsked }
      var run = try fold(task)
      guard let asked = PersonRequest(run, id: request), let answer = answer(asked.question) else { return .notAsked }
      let event = Event.decided(Decision(call: asked.call, answer: answer, comment: comment, user: user))
      let commands = run.apply(event, sequence: task.sequence &+ 1)
      let entry = JournalCoding.entry(event, commands: commands, role: nil, at: .now())
      if case .finished(let finish) = run.phase {
        let end = JournalCoding.end(finish, run)
        let ended = try asStore { () throws(StoreError) in
          try store.seize(task, with: entry, end: end, durable: settings.isDurable)
        }
        guard let ended else { continue }
        counts.end(end.status)
        goOnAbove(ended)
      } else {
        var waits = false
        if case .calling(let calls) = run.phase { waits = calls.waitsForPeople }
        let parked = try asStore { () throws(StoreError) in
          // Owed in any case: what a tool is told to do for the first time follows from it.
          try store.park(task, as: waits ? .paused : .pending, with: entry, durable: true)
        }
        if parked == nil { continue }
        if !waits { try resume(id, in: organization) }
      }
      guard let snapshot = try snapshot(id, in: organization) else { return .missing }
      return .taken(snapshot)
    }
  }
}
