package import MusterEngine
import MusterJSON
package import MusterModels
package import MusterStore
package import MusterSystem
package import MusterTools

/// Runs turns of tasks: performs the engine's commands, and writes each event to the journal before it acts on it.
package final class RunDriver: @unchecked Sendable {
  /// What the driver needs to know of its plane.
  package struct Settings: Sendable {
    package let isDurable: Bool
    /// The plane's own default model: provider and, if it has one, address.
    package let defaultProvider: String
    package let defaultBase: String?
    /// How many threads drive the runs that no caller waits for.
    package let threads: Int
    /// How many such runs may be under way.
    package let flights: Int64
    /// Whether agents have all tools of the host, whatever they list.
    package let offersAllTools: Bool
    /// How long a run may go on that is taken up again.
    package let runTimeoutMilliseconds: Int64
    /// What a turn may use up whose caller says nothing.
    package let limits: Limits
    /// What models cost.
    package let prices: [ModelPrice]
    /// How many calls of one answer of a model are under way at a time.
    package let parallelToolCalls: Int

    package init(
      isDurable: Bool, defaultProvider: String, defaultBase: String?, threads: Int = 8, flights: Int64 = 20_000,
      offersAllTools: Bool = false, runTimeoutMilliseconds: Int64 = 3_600_000,
      limits: Limits = Limits(), prices: [ModelPrice] = [], parallelToolCalls: Int = 8
    ) {
      self.parallelToolCalls = parallelToolCalls
      self.limits = limits
      self.prices = prices
      self.isDurable = isDurable
      self.defaultProvider = defaultProvider
      self.defaultBase = defaultBase
      self.threads = threads
      self.flights = flights
      self.offersAllTools = offersAllTools
      self.runTimeoutMilliseconds = runTimeoutMilliseconds
    }

    /// What a model costs, if that is limited.
    func price(of model: String, under limits: Limits) throws(RunError) -> Price? {
      if limits.cost == nil { return nil }
      if let known = prices.first(where: { $0.model == model }) { return known.price }
      throw .notRunnable("limits.cost is set, and the plane knows no price of the model \(model)")
    }
  }

  let store: Store
  let models: any ModelClient
  let settings: Settings
  let log: Log
  /// What was run since the plane was opened.
  package let counts = RunCounts()
  let turns = TurnQueue<TaskName>()
  let running = RunningTasks()
  private let strays = StrayRuns()
  let resumes = Resumes()
  /// The threads for whatever no caller waits for.
  package let pool: ThreadPool
  /// What is followed.
  let feed: TaskFeed
  let flights: Flights
  let watch: ForeignWatch
  let parkedWatch: ParkedWatch
  let tools: ToolRegistry
  let toolChoice: ToolChoice
  /// Where the agents are found that others lead. Set once, before the first run.
  package var directory: (any AgentDirectory)? {
    get { toolChoice.directory }
    set { toolChoice.directory = newValue }
  }

  package init(store: Store, models: any ModelClient, tools: ToolRegistry, settings: Settings, log: Log) {
    self.tools = tools
    toolChoice = ToolChoice(registry: tools, offersAll: settings.offersAllTools)
    self.store = store
    self.models = models
    self.settings = settings
    self.log = log
    pool = ThreadPool(name: "muster-runs", most: settings.threads)
    flights = Flights(most: settings.flights)
    let watch = ForeignWatch(store: store, pool: pool, flights: flights)
    feed = TaskFeed { watch.start() }
    self.watch = watch
    watch.feed = feed
    parkedWatch = ParkedWatch(store: store, pool: pool, resumes: resumes)
    parkedWatch.goOn = { [self] in parkedMayGoOn() }
  }

  // MARK: - Running

  /// Runs a turn on the caller's thread until its task has ended, after the earlier turns of its thread.
  package func invoke(
    _ invocation: Invocation, onBusy: BusyRule = .enqueue, deadline: Deadline, interrupt: Interrupt
  ) throws(RunError) -> TaskSnapshot {
    endStrays()
    let name = TaskName(invocation.organizationID, invocation.taskID)
    if onBusy == .replace { try replaceTurns(of: invocation) }
    return try turns.inTurn(
      of: name, mayWait: onBusy != .reject, deadline: deadline, interrupt: interrupt
    ) { admission throws(RunError) in
      switch admission {
      case .refused: throw .busy
      case .timedOut: throw .timedOut(taskID: nil)
      case .interrupted(let reason): throw .interrupted(reason, taskID: nil)
      case .admitted:
        let begun = try begin(invocation, onBusy, deadline: deadline, interrupt: interrupt)
        return try running.running(name, .init(interrupt: interrupt, task: begun.task)) { () throws(RunError) in
          var pump = RunPump(
            driver: self, begun: begun, deadline: deadline, interrupt: interrupt)
          return try pump.drive()
        }
      }
    }
  }

  /// Writes the first record of the turn, once no other process runs the task.
  private func begin(
    _ invocation: Invocation, _ onBusy: BusyRule, deadline: Deadline, interrupt: Interrupt
  ) throws(RunError) -> BegunTurn {
    while true {
      if let begun = try tryBegin(invocation, isDetached: false) { return begun }
      if onBusy == .reject { throw .busy }
      try waitForOther(deadline: deadline, interrupt: interrupt)
    }
  }

  /// The same without waiting: nil while another process runs the task.
  /// `isDetached`: whether the run goes on, also in another process, when this one or its plane has ended.
  func tryBegin(_ invocation: Invocation, isDetached: Bool) throws(RunError) -> BegunTurn? {
    var isNew = invocation.isNewTask
    while true {
      // Whether a fresh id is free is seen when the task is made; it is looked up only if it was not.
      let known = isNew ? nil : try found(invocation.taskID, in: invocation.organizationID)
      isNew = false
      if let known, known.agentID != invocation.agentID { throw .otherAgent }
      if let known, !known.status.isFinal {
        if let owner = known.owner, store.isAlive(owner) {
          if try endIfStray(known) { continue }
          return nil
        }
        // One that was put aside comes first.
        if known.status == .paused { return nil }
        if try park(known) {
          // Who waits behind it may have the last place itself, and gives that back.
          if let parked = try found(known.id, in: known.organizationID) { try takeUpNow(parked) }
          return nil
        }
        _ = try end(known, with: .interrupted)
        continue
      }
      let (list, team) = try toolChoice.list(of: invocation.agent, in: invocation.organizationID)
      let beginning = try TurnBuilder(store: store, settings: settings).beginning(
        of: invocation, tools: list, team: team, isDetached: isDetached, after: known)
      var run = Run()
      let event = Event.began(beginning)
      let sequence = (known?.sequence ?? 0) &+ 1
      let commands = run.apply(event, sequence: sequence)
      let request = invocation.request
      let carriesSystem = if case .text = beginning.system { true } else { false }
      let start = TurnStart(
        organizationID: invocation.organizationID, taskID: invocation.taskID, agentID: invocation.agentID,
        title: TurnBuilder.title(of: request), userID: request["input"]?["user"]?["id"]?.string,
        parentID: request["parent_execution_id"]?.string, triggeringAgentID: request["triggering_agent_id"]?.string,
        carriesSystemMessage: carriesSystem,
        entry: JournalCoding.entry(event, commands: commands, role: .user, at: .now()),
        afterSequence: known?.sequence ?? 0, idempotency: invocation.idempotency, agentState: invocation.agentState)
      switch try asStore({ () throws(StoreError) in try store.beginTurn(start, durable: settings.isDurable) }) {
      case .begun(let task, let secrets):
        counts.begin()
        let agent =
          invocation.agentState == nil
          ? invocation.agent : invocation.agent.with(secrets: secrets.map { JSON.trusted($0) })
        return BegunTurn(task: task, run: run, agent: agent)
      case .changed: continue
      case .agentChanged: throw .agentChanged
      case .agentGone: throw .agentDeleted
      }
    }
  }

  func waitForOther(deadline: Deadline, interrupt: Interrupt) throws(RunError) {
    if deadline.hasPassed { throw .timedOut(taskID: nil) }
    if Sleep.sleep(until: deadline.earlier(.after(milliseconds: 50)), interrupt: interrupt),
      let reason = interrupt.reason
    {
      throw .interrupted(reason, taskID: nil)
    }
  }

  func found(_ id: String, in organization: String) throws(RunError) -> TaskRow? {
    let lookup = try asStore { () throws(StoreError) in try store.task(id, in: organization) }
    if case .found(let row) = lookup { return row }
    return nil
  }

  // MARK: - Ending from outside

  /// Stops a task and those below it, wherever they run; a task that has ended is given unchanged. Nil when there is none.
  package func stop(
    _ id: String, in organization: String, because reason: StopReason = .person
  ) throws(RunError) -> TaskSnapshot? {
    while true {
      guard let task = try found(id, in: organization) else { return nil }
      if !task.status.isFinal {
        let live = feed.turn(organization, id)
        guard try end(task, with: .stopRequested(reason, text: live.flatMap { RunFlight.text($0.freeze()) })) else {
          live?.unfreeze()
          continue
        }
        if let run = running.run(TaskName(organization, id)) { interruptIfLost(run) }
        try stopSubtasks(of: task, because: reason)
      }
      return try snapshot(id, in: organization)
    }
  }

  /// Interrupts the run of a task that was deleted.
  package func interruptDeleted(_ id: String, in organization: String) {
    resumes.forget(TaskName(organization, id))
    if let run = running.run(TaskName(organization, id)) { interruptIfLost(run) }
  }

  /// Interrupts the runs of an agent that was deleted.
  package func interruptRuns(ofAgent agent: String) {
    for run in running.runs(ofAgent: agent) { interruptIfLost(run) }
  }

  /// Interrupts a run whose task was taken from it. A later turn of the same thread, which may have begun meanwhile,
  /// goes on.
  private func interruptIfLost(_ run: RunningTasks.Entry) {
    let lookup = try? store.task(run.task.id, in: run.task.organizationID)
    if case .found(let now)? = lookup, HeldTask(key: now.key, fence: now.fence) == run.held { return }
    run.interrupt.fire(.stopped)
  }

  /// Ends the tasks that dead processes left unfinished. Touches no task of a living one.
  package func takeInventory() throws(RunError) {
    if store.takeTidiness() { return }
    let abandoned = try asStore { () throws(StoreError) in try store.abandonedTasks() }
    for task in try park(abandoned) where try end(task, with: .interrupted) {
      log.write(.warning, "runs", "task \(task.id) was interrupted: its process ended")
    }
    try asStore { () throws(StoreError) in try store.forgetDeadOwners() }
  }

  /// Applies an ending event to the journal of a task's turn. False when the task has changed meanwhile. A journal
  /// that cannot be read does not keep its task from ending.
  func end(_ task: TaskRow, with event: Event) throws(RunError) -> Bool {
    let records = try asStore { () throws(StoreError) in try store.recordsOfTurn(task) }
    var run: Run
    do throws(RunError) {
      run = try JournalCoding.fold(records)
    } catch {
      log.write(.error, "runs", "task \(task.id): its journal cannot be read; it is ended all the same")
      run = Run()
    }
    let commands = run.apply(event, sequence: task.sequence &+ 1)
    guard case .finished(let finish) = run.phase else { throw .unreadable("task \(task.id) does not end") }
    let entry = JournalCoding.entry(event, commands: commands, role: nil, at: .now())
    let turnEnd = JournalCoding.end(finish, run)
    let ended = try asStore { () throws(StoreError) in
      try store.seize(task, with: entry, end: turnEnd, durable: settings.isDurable)
    }
    guard let ended else { return false }
    counts.end(turnEnd.status)
    resumes.forget(ended)
    // What it had started is for nobody; who stops a task stops those below it with it.
    if case .interrupted = event, run.beginning?.team != nil {
      do throws(RunError) {
        try stopSubtasks(of: ended, because: .parent)
      } catch {
        log.write(.warning, "runs", "task \(task.id) was interrupted; what it had started may go on")
      }
    }
    goOnAbove(ended)
    return true
  }

  // MARK: - Strays

  /// Remembers a run whose end could not be written, so that its task does not stay `executing` while this process lives.
  func addStray(_ task: TaskRow) { strays.add(task) }

  /// Tries again to end the runs whose end could not be written.
  package func endStrays() {
    for task in strays.takeAll() { try? endOrKeep(task) }
  }

  /// Nobody else would end a task if it is one of our own runs whose end could not be written. If that fails again,
  /// waiting does not help.
  @discardableResult
  func endIfStray(_ task: TaskRow) throws(RunError) -> Bool {
    guard let stray = strays.take(task) else { return false }
    try endOrKeep(stray)
    return true
  }

  private func endOrKeep(_ stray: TaskRow) throws(RunError) {
    do throws(RunError) {
      try endStray(stray)
    } catch {
      strays.add(stray)
      throw error
    }
  }

  private func endStray(_ task: TaskRow) throws(RunError) {
    // Read again: a write that seemed to fail may have been made.
    while let now = try found(task.id, in: task.organizationID), now.key == task.key, now.fence == task.fence,
      !now.status.isFinal
    {
      if try end(now, with: .interrupted) {
        log.write(.warning, "runs", "task \(task.id) was interrupted: its end could not be written before")
        return
      }
    }
  }

  // MARK: - Reading

  /// A task with the texts of its latest turn; nil when there is none.
  package func snapshot(_ id: String, in organization: String) throws(RunError) -> TaskSnapshot? {
    let lookup = try asStore { () throws(StoreError) in try store.taskWithRecords(id, in: organization) }
    guard case .found(let found) = lookup else { return nil }
    let snapshot = TaskSnapshot(
      task: found.task, first: found.first, result: found.result, subtasks: found.subtasks)
    return found.task.status == .paused ? snapshot.asking(PersonRequest(try fold(found.task))) : snapshot
  }

  func asStore<Value>(_ body: () throws(StoreError) -> Value) throws(RunError) -> Value {
    do throws(StoreError) {
      return try body()
    } catch {
      throw .store(error)
    }
  }
}

/// A turn whose first record is written.
struct BegunTurn {
  let task: TaskRow
  let run: Run
  /// What the turn runs with.
  let agent: AgentConfiguration
}
