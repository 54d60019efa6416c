import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// The tools that one answer of a model asks for: so many are called at a time, the others wait; what comes back is taken by
/// whoever drives the run.
final class ToolRound: @unchecked Sendable {
  private enum State {
    case waiting
    case starting
    case running(ToolCall)
    case delegated(SubtaskCall)
    case over
    /// It goes on without this run.
    case apart(SubtaskCall)
  }

  private let registry: ToolRegistry
  private let calls: OpenCalls
  private let task: TaskRow
  private let planner: SubtaskPlanner
  private let tell: () -> Void
  private let lock = Lock()
  private var states: [State]
  private var returned = Queue<Event>()
  private var underWay = 0
  private var isCancelled = false

  /// - Parameter tell: called whenever something has come back, on any thread and under no lock.
  init(
    _ calls: OpenCalls, of journal: RunJournal, deadline: Deadline, tell: @escaping () -> Void
  ) {
    self.calls = calls
    task = journal.task
    registry = journal.driver.tools
    planner = SubtaskPlanner(
      driver: journal.driver, task: journal.task, run: journal.run, calls: calls, deadline: deadline)
    self.tell = tell
    states = calls.commands.map { command in
      switch command {
      case nil, .askPerson?: return .over
      default: return .waiting
      }
    }
  }

  /// Starts as many calls as may be under way. Tools that run on their caller's thread alone run in here.
  func start(onCaller: Bool) {
    while let call = nextWaiting() {
      switch calls.command(call) {
      case .answerCall(_, let reason, let text):
        take(ToolResult(content: .string(text), isError: reason != .done), of: call)
      case .callTool(_, let manner):
        if let agent = planner.run.beginning?.tools?.tool(calls.requests[call].name)?.agent {
          delegate(call, to: agent, isRepeat: manner != .first)
          continue
        }
        do throws(ToolUnavailable) {
          let started = try registry.start(
            invocation(call, manner), onCaller: onCaller, listener: Listener(round: self, call: call))
          keep(started, as: call)
        } catch {
          // The run is being interrupted: who goes on with it makes the call, or none is made.
          if case .closed = error { continue }
          let again = manner == .first ? "" : " again, and whether it was done before is not known"
          take(
            ToolResult(content: .string("The tool was not called\(again): \(ToolRound.told(error))."), isError: true),
            of: call)
        }
      default: take(ToolResult(content: .null, isError: true), of: call)
      }
    }
  }

  private func nextWaiting() -> Int? {
    lock.withLock {
      guard !isCancelled, underWay < planner.driver.settings.parallelToolCalls,
        let call = states.firstIndex(where: { if case .waiting = $0 { true } else { false } })
      else { return nil }
      states[call] = .starting
      underWay &+= 1
      return call
    }
  }

  private func invocation(_ call: Int, _ manner: Command.Manner) -> ToolInvocation {
    let request = calls.requests[call]
    // It was checked: text that is not there stands for no arguments.
    let arguments = (try? JSON.parse(request.arguments.utf8 ?? [])) ?? .literal("{}")
    let schemas = planner.run.beginning?.tools?.tool(request.name)?.schemas
    return ToolInvocation(
      callID: calls.id(call), name: request.name, arguments: schemas?.filled(arguments) ?? arguments,
      organizationID: task.organizationID, agentID: task.agentID, taskID: task.id, isRepeat: manner != .first,
      isProbe: manner == .probe, shape: schemas.flatMap { ToolRound.shape($0, isProbe: manner == .probe) })
  }

  /// What is made of a tool's answer; who was asked what became of a call gives the answer inside of theirs.
  private static func shape(_ schemas: ToolSchemas, isProbe: Bool) -> (@Sendable (JSON) -> JSON)? {
    guard schemas.changesAnswers else { return nil }
    guard isProbe else { return { schemas.shaped($0) } }
    return { told in told["result"].map { told.setting([("result", schemas.shaped($0))]) } ?? told }
  }

  private func delegate(_ call: Int, to agent: String, isRepeat: Bool) {
    do throws(RunError) {
      let order = try planner.order(call, agent, isRepeat: isRepeat)
      let subtask = SubtaskCall(order, limits: planner.limits, driver: planner.driver) { [self] outcome in
        take(outcome, of: call)
      }
      lock.withLock { states[call] = .delegated(subtask) }
      // Not on this stack: agents may lead agents that lead agents.
      if !planner.driver.pool.submit(subtask) { subtask.start() }
    } catch {
      take(ToolResult(content: .string("The sub-task could not be started."), isError: true), of: call)
    }
  }

  private func take(_ outcome: SubtaskCall.Outcome, of call: Int) {
    switch outcome {
    case .ended(let result, let usage): take(result, of: call, usage: usage)
    case .apart:
      lock.withLock {
        guard case .delegated(let subtask) = states[call] else { return }
        states[call] = .apart(subtask)
        underWay &-= 1
      }
      tell()
    }
  }

  private static func told(_ error: ToolUnavailable) -> String {
    switch error {
    case .unknown: return "it is not registered any more"
    case .callerOnly: return "it runs on the thread of a blocking call alone, and this run has none"
    case .underWay: return "a call with the same id has not ended"
    case .noThread: return "there is no thread for it"
    case .closed: return "the plane is closed"
    }
  }

  private func keep(_ started: ToolCall, as call: Int) {
    let isUnwanted = lock.withLock { () -> Bool in
      // It may have returned by now.
      guard case .starting = states[call] else { return false }
      states[call] = .running(started)
      return isCancelled
    }
    if isUnwanted { started.cancel() }
  }

  private func take(_ result: ToolResult, of call: Int, usage: Usage? = nil) {
    lock.withLock {
      if case .over = states[call] { return }
      states[call] = .over
      underWay &-= 1
      if !isCancelled { returned.append(event(result, call, usage)) }
    }
    tell()
  }

  /// The fact that a result is. Who was asked what became of a call says whether it was done.
  private func event(_ result: ToolResult, _ call: Int, _ usage: Usage?) -> Event {
    guard case .callTool(_, .probe)? = calls.command(call) else {
      return .toolReturned(ToolReturned(call: call, result: result.content, isError: result.isError, usage: usage))
    }
    guard !result.isError, let isDone = result.content["done"]?.bool else {
      return .probed(call: call, isKnown: false)
    }
    guard isDone else { return .probed(call: call, isKnown: true) }
    return .toolReturned(ToolReturned(call: call, result: result.content["result"] ?? .null, isError: false))
  }

  /// The next that has come back; nil when there is none for now.
  func next() -> Event? { lock.withLock { returned.popFirst() } }

  /// Whether something has come back that was not taken.
  var hasReturned: Bool { lock.withLock { !returned.isEmpty } }

  /// Whether all have come back and were taken, or go on by themselves; a new round does what there is to do then.
  var isOver: Bool {
    lock.withLock {
      returned.isEmpty
        && states.allSatisfy { state in
          switch state {
          case .over, .apart: true
          default: false
          }
        }
    }
  }

  /// The sub-tasks that go on by themselves.
  var apart: [String] {
    lock.withLock { states.compactMap { if case .apart(let subtask) = $0 { subtask.taskID } else { nil } } }
  }

  /// Tells the tools that nobody waits for them any more, and sub-tasks why. True when the host may be at work on one of
  /// them.
  @discardableResult
  func cancel(_ reason: Interrupt.Reason) -> Bool {
    let states = lock.withLock { () -> [State] in
      isCancelled = true
      returned = Queue()
      return self.states
    }
    var isInHost = false
    for state in states {
      switch state {
      case .starting: isInHost = true
      case .running(let call):
        call.cancel()
        isInHost = true
      case .delegated(let subtask): subtask.cancel(reason)
      default: continue
      }
    }
    return isInHost
  }

  private final class Listener: ToolListener {
    private let round: ToolRound
    private let call: Int

    init(round: ToolRound, call: Int) {
      self.round = round
      self.call = call
    }

    func returned(_ result: ToolResult) { round.take(result, of: call) }
  }
}
