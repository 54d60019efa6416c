package import MusterHTTP
import MusterJSON
import MusterModels
import MusterRuns
import MusterStore
package import MusterSystem

/// An open plane: the operations on one store, for one organization. Every function may be called from any thread.
package final class ControlPlane: @unchecked Sendable {
  let configuration: PlaneConfiguration
  let store: Store
  /// The host's own calls.
  package let host: Caller
  let runs: RunDriver
  package let log: Log
  /// What is known of the agents that were invoked last.
  let preparedAgents = PreparedAgents()
  private let http: HTTPClient
  private let gate = Gate()
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
    http = HTTPClient(log: log)
    runs = RunDriver(
      store: opened, models: OpenAIChatClient(http: http),
      settings: .init(
        isDurable: configuration.isDurable, defaultProvider: configuration.defaultProvider,
        defaultBase: configuration.defaultBase), log: log)
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
    guard gate.close() else { return }
    runs.endStrays()
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
    guard let operation = OperationTable.operation(name) else {
      throw Failure(.unknownOperation, "no operation is named \(name)")
    }
    let interrupt: Interrupt
    if let ticket = arguments.ticket {
      guard let known = tickets.use(ticket) else {
        throw Failure(.misuse, "context.ticket \(ticket) is unknown or was used")
      }
      interrupt = known
    } else {
      interrupt = interruption ?? Interrupt()
    }
    defer { if let ticket = arguments.ticket { tickets.retire(ticket) } }
    let deadline = Deadline.after(
      milliseconds: timeoutMilliseconds == 0 ? configuration.callTimeoutMilliseconds : timeoutMilliseconds)
    let answer = try gate.pass(interrupt) { () throws(Failure) -> Operation.Answer in
      if interrupt.reason == .cancelled { throw Failure(.cancelled, "the call was cancelled before it began") }
      let caller = caller ?? host
      try Authorization.check(caller, operation)
      let call = try OperationCall(
        operation, arguments, plane: self, caller: caller, deadline: deadline, interrupt: interrupt)
      try Authorization.check(call, operation)
      return try idempotentCalls.answer(operation, call)
    }
    switch answer {
    case nil: throw Failure(.closed, "the plane is closed")
    case .some(.none): return Array(JSON.null.bytes)
    case .some(.json(let text)): return text
    }
  }

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

  /// Cancels the call that carries the ticket, also before it begins.
  package func cancel(_ ticket: UInt64) { tickets.cancel(ticket) }
}
