import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// The tools that one answer of a model asks for: so many are called at a time, the others wait; what comes back is taken by
/// whoever drives the run.
final class ToolRound: @unchecked Sendable {
  /// How many calls of one answer are under way at a time.
  private static let atOnce = 8

  private enum State {
    case waiting
    case starting
    case running(ToolCall)
    case over
  }

  private let registry: ToolRegistry
  private let calls: OpenCalls
  private let task: TaskRow
  private let tell: () -> Void
  private let lock = Lock()
  private var states: [State]
  private var returned = Queue<Event>()
  private var underWay = 0
  private var isCancelled = false

  /// - Parameter tell: called whenever something has come back, on any thread and under no lock.
  init(_ calls: OpenCalls, of task: TaskRow, registry: ToolRegistry, tell: @escaping () -> Void) {
    self.calls = calls
    self.task = task
    self.registry = registry
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
        do throws(ToolUnavailable) {
          let started = try registry.start(
            invocation(call, manner), onCaller: onCaller, listener: Listener(round: self, call: call))
          keep(started, as: call)
        } catch {
          take(
            ToolResult(content: .string("The tool was not called: \(ToolRound.told(error))."), isError: true), of: call)
        }
      default: take(ToolResult(content: .null, isError: true), of: call)
      }
    }
  }

  private func nextWaiting() -> Int? {
    lock.withLock {
      guard !isCancelled, underWay < ToolRound.atOnce,
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
    return ToolInvocation(
      callID: calls.id(call), name: request.name, arguments: arguments, organizationID: task.organizationID,
      agentID: task.agentID, taskID: task.id, isRepeat: manner != .first, isProbe: manner == .probe)
  }

  private static func told(_ error: ToolUnavailable) -> String {
    switch error {
    case .unknown: return "it is not registered any more"
    case .callerOnly: return "it runs on the thread of a blocking call alone, and this run has none"
    case .underWay: return "a call with the same id has not ended"
    case .noThread: return "there is no thread for it"
    case .closed: return "the plane is being closed"
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

  private func take(_ result: ToolResult, of call: Int) {
    lock.withLock {
      if case .over = states[call] { return }
      states[call] = .over
      underWay &-= 1
      if !isCancelled { returned.append(event(result, call)) }
    }
    tell()
  }

  /// The fact that a result is. Who was asked what became of a call says whether it was done.
  private func event(_ result: ToolResult, _ call: Int) -> Event {
    guard case .callTool(_, .probe)? = calls.command(call) else {
      return .toolReturned(ToolReturned(call: call, result: result.content, isError: result.isError))
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

  /// Whether all have come back and were taken; a new round does what there is to do then.
  var isOver: Bool {
    lock.withLock { returned.isEmpty && states.allSatisfy { if case .over = $0 { true } else { false } } }
  }

  /// Tells the tools that nobody waits for them any more.
  func cancel() {
    let running = lock.withLock { () -> [ToolCall] in
      isCancelled = true
      returned = Queue()
      return states.compactMap { if case .running(let call) = $0 { call } else { nil } }
    }
    for call in running { call.cancel() }
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
