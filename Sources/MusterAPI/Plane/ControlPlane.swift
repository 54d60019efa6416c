package import MusterHTTP
import MusterJSON
import MusterModels
import MusterRuns
import MusterStore
package import MusterSystem
package import MusterTools

/// An open plane: the operations on one store, for one organization. Every function may be called from any thread.
package final class ControlPlane: @unchecked Sendable {
  let configuration: PlaneConfiguration
  let store: Store
  /// The host's own calls.
  package let host: Caller
  let runs: RunDriver
  package let log: Log
  /// What the host has registered.
  package let tools: ToolRegistry
  /// What is known of the agents that were invoked last.
  let preparedAgents = PreparedAgents()
  /// How many calls of the host's tools may be under way.
  private static let toolThreads = 64
  private let http: HTTPClient
  private let loop: HTTPLoop
  /// What ends the following of tasks.
  private let following = Interrupts()
  let gate = Gate()
  private let tickets = Tickets()
  private let idempotentCalls = IdempotentCalls()

  /// Opens a plane from a path, ":memory:", or a JSON object. Tasks that dead processes left unfinished are ended.
  package convenience init(configuration text: [UInt8], log: Log) throws(Failure) {
    try self.init(try PlaneConfiguration(text), log: log)
  }

  /// The same from what was read already.
  init(_ configuration: PlaneConfiguration, log: Log) throws(Failure) {
    if configuration.isRemote { throw Failure(.unsupported, "config: store is a service elsewhere") }
    let opened: Store
    do throws(StoreError) {
      opened = try StoreRegistry.open(
        path: configuration.store, busyTimeoutMilliseconds: configuration.busyTimeoutMilliseconds, log: log)
    } catch {
      log.write(.error, "plane", error.message)
      throw Failure(error)
    }
    self.configuration = configuration
    self.log = log
    store = opened
    host = Caller(
      organizationID: configuration.organizationID ?? opened.firstOrganizationID, userID: configuration.userID,
      network: configuration.network ?? .open)
    tools = ToolRegistry(threads: ControlPlane.toolThreads, log: log)
    http = HTTPClient(log: log)
    loop = HTTPLoop(log: log)
    runs = RunDriver(
      store: opened, models: OpenAIChatClient(http: http, loop: loop), tools: tools,
      settings: .init(
        isDurable: configuration.isDurable, defaultProvider: configuration.defaultProvider,
        defaultBase: configuration.defaultBase, threads: Int(configuration.threads), flights: configuration.runs,
        offersAllTools: configuration.offersAllTools,
        runTimeoutMilliseconds: configuration.runTimeoutMilliseconds, limits: configuration.runLimits,
        prices: configuration.prices, parallelToolCalls: Int(configuration.parallelToolCalls)),
      log: log)
    runs.directory = StoredAgents(store: opened, prepared: preparedAgents)
    do throws(Failure) {
      try prepare()
    } catch {
      StoreRegistry.close(opened)
      log.write(.error, "plane", error.message)
      throw error
    }
    log.write(.info, "plane", "open")
  }

  private func prepare() throws(Failure) {
    do throws(StoreError) {
      if let organization = configuration.organizationID { try store.ensureOrganization(organization) }
    } catch {
      throw Failure(error)
    }
    do throws(RunError) {
      try runs.takeInventory()
    } catch {
      throw Failure(error)
    }
  }

  /// Refuses new calls, interrupts those under way, waits for them, and closes the store. Harmless when it is closed.
  package func close() {
    guard gate.shut() else { return }
    // A call that is waited for may be inside the host, which may wait for anything else: all that there is hears of it
    // before one of them is waited for, the runs before the tools that they call. Whoever follows a task of somebody else
    // hears of it now; whoever follows a run, from that.
    following.fire(.closing)
    runs.beginClosing()
    tools.beginClosing()
    gate.wait()
    runs.close()
    // The host's code may have waited for a run.
    tools.close()
    runs.putAsideKept()
    runs.endStrays()
    loop.close()
    http.close()
    StoreRegistry.close(store)
    log.write(.info, "plane", "closed")
  }

  /// The network policy of API callers whose server brings none of its own: what the configuration says, else public
  /// addresses only.
  package var networkOfCallers: NetworkPolicy { configuration.network ?? .public }

  // MARK: - Calls

  /// Calls an operation on behalf of `caller`, the host if nil; gives its answer, `null` when it has none.
  /// `timeoutMilliseconds`: negative waits without limit, 0 takes the plane's default. `interruption` ends the call from
  /// outside; a ticket has one of its own.
  package func call(
    _ name: String, _ arguments: Arguments, timeoutMilliseconds: Int64 = 0, as caller: Caller? = nil,
    interruption: Interrupt? = nil
  ) throws(Failure) -> [UInt8] {
    let operation = try operation(name)
    try refuseWaitingForItself(operation, arguments, as: caller)
    if arguments.timeoutMilliseconds != nil {
      throw Failure(.misuse, "context.timeout_ms is for submitted calls: this one has its own parameter")
    }
    let interrupt: Interrupt
    if let ticket = arguments.ticket {
      interrupt = try use(ticket)
    } else {
      interrupt = interruption ?? Interrupt()
    }
    defer { if let ticket = arguments.ticket { tickets.retire(ticket) } }
    let deadline = Deadline.after(
      milliseconds: timeoutMilliseconds == 0 ? configuration.callTimeoutMilliseconds : timeoutMilliseconds)
    let answer = try gate.pass(interrupt) { () throws(Failure) -> [UInt8] in
      if interrupt.reason == .cancelled { throw Failure(.cancelled, "the call was cancelled before it began") }
      let call = try checked(operation, arguments, as: caller ?? host, deadline: deadline, interrupt: interrupt)
      return try self.answer(operation, call)
    }
    guard let answer else { throw Failure(.closed, "the plane is closed") }
    return answer
  }

  private func operation(_ name: String) throws(Failure) -> Operation {
    guard let operation = OperationTable.operation(name) else {
      throw Failure(.unknownOperation, "no operation is named \(name)")
    }
    return operation
  }

  func use(_ ticket: UInt64) throws(Failure) -> Interrupt {
    guard let interrupt = tickets.use(ticket) else {
      throw Failure(.misuse, "context.ticket \(ticket) is unknown or was used")
    }
    return interrupt
  }

  /// A call whose caller may make it and whose arguments are right.
  func checked(
    _ operation: Operation, _ arguments: Arguments, as caller: Caller, deadline: Deadline, interrupt: Interrupt
  ) throws(Failure) -> OperationCall {
    try Authorization.check(caller, operation)
    let call = try OperationCall(
      operation, arguments, plane: self, caller: caller, deadline: deadline, interrupt: interrupt)
    try Authorization.check(call, operation)
    return call
  }

  /// Does what a checked call asks for; gives its answer, `null` when it has none.
  func answer(_ operation: Operation, _ call: OperationCall) throws(Failure) -> [UInt8] {
    switch try idempotentCalls.answer(operation, call) {
    case .none: return Array(JSON.null.bytes)
    case .json(let text): return text
    }
  }

  // MARK: - Submitted calls

  /// A call that no thread waits for, on behalf of `caller`, the host if nil. It does nothing before `start`, or before
  /// somebody runs it; its reader is set before. `interruption` ends it from outside; a ticket has one of its own.
  package func submission(
    _ name: String, _ arguments: Arguments, as caller: Caller? = nil, interruption: Interrupt? = nil
  ) throws(Failure) -> Submission {
    let operation = try operation(name)
    let interrupt: Interrupt
    if let ticket = arguments.ticket {
      interrupt = try use(ticket)
    } else {
      interrupt = interruption ?? Interrupt()
    }
    let deadline: Deadline
    var runs = false
    switch operation.form {
    case .answer:
      deadline = .after(milliseconds: arguments.timeoutMilliseconds ?? configuration.callTimeoutMilliseconds)
    case .run, .acceptance, .runEvents:
      deadline = runDeadline(arguments.timeoutMilliseconds)
      do throws(RunError) {
        try self.runs.reservePlace()
      } catch {
        if let ticket = arguments.ticket { tickets.retire(ticket) }
        throw Failure(error)
      }
      runs = true
    case .events: deadline = .after(milliseconds: arguments.timeoutMilliseconds ?? -1)
    }
    let submission = Submission(
      plane: self, operation: operation, arguments: arguments, caller: caller ?? host, interrupt: interrupt,
      deadline: deadline, hasPlace: runs)
    if operation.form == .events { submission.followingNumber = following.add(interrupt) }
    return submission
  }

  /// Hands a submission to the threads of the plane.
  package func start(_ submission: any PoolJob) throws(Failure) {
    guard gate.isOpen else { throw Failure(.closed, "the plane is closed") }
    guard runs.pool.submit(submission) else {
      if !gate.isOpen { throw Failure(.closed, "the plane is closed") }
      throw Failure(.busy, "no thread for the call")
    }
  }

  /// Runs `body` while the plane cannot be closed; nil when it is closed.
  func pass<Value>(_ interrupt: Interrupt, _ body: () throws(Failure) -> Value) throws(Failure) -> Value? {
    try gate.pass(interrupt, body)
  }

  /// When the time of a run is over that begins now; `milliseconds`: nil takes the plane's limit.
  func runDeadline(_ milliseconds: Int64?) -> Deadline {
    .after(milliseconds: milliseconds ?? configuration.runTimeoutMilliseconds)
  }

  /// A followed task is followed no more.
  func stopFollowing(_ number: Int) { following.remove(number) }

  /// A number that stays the same only while nothing is committed to the store, by this process or another; nil when it
  /// cannot be told, or not at once. It costs microseconds.
  package var changeNumber: Int64? {
    if store.isInMemory { return nil }
    do throws(StoreError) { return try store.changeNumber() } catch { return nil }
  }

  /// What the plane has done since it was opened: names and values that say nothing about whom it did it for.
  package var measures: [Measure] {
    let counted = runs.counts.values
    let written = store.writeCounts
    var measures = [Measure("muster_runs_begun_total", "Runs that were accepted.", counted.begun)]
    for entry in counted.ended {
      measures.append(
        Measure("muster_runs_ended_total", "Runs that ended, by status.", entry.count, ("status", entry.status.word)))
    }
    let tokens: StaticString = "muster_model_tokens_total"
    measures.append(Measure(tokens, "Tokens that models counted.", counted.promptTokens, ("kind", "prompt")))
    measures.append(Measure(tokens, "Tokens that models counted.", counted.completionTokens, ("kind", "completion")))
    measures.append(Measure("muster_store_writes_total", "Writes of this process.", written.jobs))
    measures.append(Measure("muster_store_commits_total", "Transactions that carried them.", written.commits))
    measures.append(Measure("muster_store_syncs_total", "Transactions that were synced.", written.syncs))
    return measures
  }

  /// A ticket for one later call; 0 when too many wait unused.
  package func makeTicket() -> UInt64 { tickets.make() }

  /// Ends a ticket with its call.
  func retire(_ ticket: UInt64) { tickets.retire(ticket) }

  /// Cancels the call that carries the ticket, also before it begins.
  package func cancel(_ ticket: UInt64) { tickets.cancel(ticket) }
}
