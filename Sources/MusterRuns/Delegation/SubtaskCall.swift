import MusterEngine
import MusterHTTP
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// A call that is a sub-task, from its start, or from wherever it is found, to its end.
final class SubtaskCall: FlightListener, PoolJob, @unchecked Sendable {
  enum Outcome {
    case ended(ToolResult, Usage?)
    /// It goes on without whoever waits for it, and wakes the task above it when it has ended: a person has to decide, or the plane is being closed.
    case apart
  }

  /// How often a sub-task is looked at that somebody else runs.
  private static let interval: Int64 = 50

  private let order: SubtaskOrder
  private let limits: Limits
  private let driver: RunDriver
  private let interrupt = Interrupt()
  private let lock = Lock()
  /// Nil once it was told, or nobody wants to hear it.
  private var tell: ((Outcome) -> Void)?
  /// Whether it was begun here: one that is gone then was deleted, and is not begun anew.
  private var hasBegun = false

  /// - Parameter tell: what comes of it, at most once, on any thread; also before `start` has returned.
  init(_ order: SubtaskOrder, limits: Limits, driver: RunDriver, tell: @escaping (Outcome) -> Void) {
    self.order = order
    self.limits = limits
    self.driver = driver
    self.tell = tell
  }

  var taskID: String { order.taskID }

  /// Starts the sub-task, or goes on with it if it was started before.
  func start() {
    do throws(RunError) {
      try look()
    } catch {
      settle(SubtaskCall.outcome(of: error))
    }
  }

  /// Nobody waits for it any more.
  func cancel(_ reason: Interrupt.Reason) {
    lock.withLock { tell = nil }
    switch reason {
    case .cancelled, .stopped: interrupt.fire(.stopped)
    case .unneeded: interrupt.fire(.unneeded)
    // It hears of the end of the plane itself.
    case .closing: break
    }
  }

  func run() { start() }

  // MARK: - What becomes of it

  func begun(_ turn: LiveTurn) { lock.withLock { hasBegun = true } }

  func ended(_ end: FlightEnd) {
    switch end {
    case .task: start()
    case .failed(let error): settle(SubtaskCall.outcome(of: error))
    }
  }

  private func look() throws(RunError) {
    if lock.withLock({ tell == nil }) { return }
    let organization = order.parent.organizationID
    guard let task = try driver.found(order.taskID, in: organization) else {
      var isGone = lock.withLock { hasBegun }
      if !isGone, order.isRepeat { isGone = try driver.wasDeleted(order) }
      return try isGone ? settle(SubtaskCall.failed("The sub-task was deleted.")) : begin()
    }
    if try driver.delegated(task)?.call != order.callID {
      // Its thread may have gone on since.
      if lock.withLock({ hasBegun }) || order.isRepeat, let before = try earlier(task) { return settle(before) }
      return try begin()
    }
    if task.status.isFinal { return try settle(ended(task)) }
    if task.status == .paused { return settle(.apart) }
    // Put aside, or somebody runs it.
    if task.owner == nil { try driver.takeUp(order.taskID, in: organization) }
    if let owner = task.owner, !driver.store.isAlive(owner) { try driver.settle([task]) }
    if task.owner == nil, try driver.isApart(order.taskID, in: organization) { return settle(.apart) }
    guard driver.pool.schedule(self, at: .after(milliseconds: SubtaskCall.interval)) != nil else {
      return settle(.apart)
    }
  }

  private func begin() throws(RunError) {
    if limits.isUsedUp {
      return settle(SubtaskCall.failed("The sub-task was not started: the limits of the run are used up."))
    }
    // A model that asks for it is not even answered; a sequence has none.
    if let deepest = limits.depth, order.delegated.depth > deepest {
      return settle(SubtaskCall.failed("The sub-task was not started: it would be deeper than \(deepest)."))
    }
    let organization = order.parent.organizationID
    guard let agent = try driver.directory?.agent(order.agentID, in: organization) else {
      return settle(SubtaskCall.failed("The agent is not there any more, or is not active."))
    }
    if let problem = agent.problem { return settle(SubtaskCall.failed("The agent cannot be run: \(problem)")) }
    try driver.launch(
      Invocation(
        organizationID: organization, agentID: order.agentID, agentVersion: agent.version, requestedVersion: nil,
        agent: agent.configuration, taskID: order.taskID, request: order.request,
        network: .init(text: order.network) ?? .public, delegated: order.delegated, limits: limits),
      deadline: order.deadline, onBusy: .enqueue, isDetached: order.isDetached, interrupt: interrupt, listener: self)
  }

  /// What came of the call in a turn that further ones have followed; nil when there is none.
  private func earlier(_ task: TaskRow) throws(RunError) -> Outcome? {
    guard let records = try driver.turn(of: task, answering: order.callID), let last = records.last else { return nil }
    let run = try JournalCoding.fold(records)
    guard case .finished(let finish) = run.phase else { return nil }
    let end = JournalCoding.end(finish, run)
    return SubtaskCall.outcome(end.status, end.internalStatus, JournalCoding.result(last), run.usage)
  }

  private func ended(_ task: TaskRow) throws(RunError) -> Outcome {
    guard let snapshot = try driver.snapshot(task.id, in: task.organizationID) else {
      return SubtaskCall.failed("The sub-task was deleted.")
    }
    return SubtaskCall.outcome(
      snapshot.task.status, snapshot.task.internalStatus, snapshot.result, try driver.fold(snapshot.task).usage)
  }

  private static func outcome(_ status: TaskStatus, _ why: String?, _ result: JSON?, _ usage: Usage) -> Outcome {
    let text = result ?? .literal("\"\"")
    if status == .completed { return .ended(ToolResult(content: text, isError: false), usage) }
    let reason = why.map { " (\($0))" } ?? ""
    return .ended(
      ToolResult(
        content: .string("The agent did not finish: \(status.word)\(reason). \(text.string ?? "")"), isError: true),
      usage)
  }

  private func settle(_ outcome: Outcome) {
    let tell = lock.withLock { () -> ((Outcome) -> Void)? in
      defer { self.tell = nil }
      return self.tell
    }
    tell?(outcome)
  }

  private static func failed(_ told: String) -> Outcome {
    .ended(ToolResult(content: .string(told), isError: true), nil)
  }

  private static func outcome(of error: RunError) -> Outcome {
    switch error {
    case .interrupted(.closing, _): return .apart
    case .interrupted: return failed("The sub-task was stopped.")
    case .timedOut: return failed("The sub-task ran out of time.")
    case .tooMany: return failed("The sub-task was not started: as many runs are under way as may be.")
    case .otherAgent: return failed("The sub-task was not started: its thread is another agent's.")
    case .notRunnable(let why): return failed("The sub-task was not started: \(why).")
    case .toolMissing(let name): return failed("The sub-task was not started: the tool \(name) is not registered.")
    case .deleted, .agentDeleted, .agentChanged: return failed("The sub-task or its agent was deleted.")
    case .busy: return failed("The sub-task was not started: its thread is busy.")
    case .store, .unreadable: return failed("The sub-task failed: the store cannot be read or written.")
    }
  }
}
