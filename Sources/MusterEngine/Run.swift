import MusterJSON

/// A turn of a task as a state machine: events go in, commands come out, and nothing else happens. The state after any prefix of the journal is the fold
/// of that prefix.
package struct Run: Sendable {
  package enum Phase: Sendable {
    case unborn
    case asking(attempt: Int64)
    case waiting(attempt: Int64)
    /// Tools are called; those commands that are open are in `calls`.
    indirect case calling(OpenCalls)
    case finished(Command.Finish)
  }

  package private(set) var phase = Phase.unborn
  package private(set) var beginning: Beginning?
  /// The commands of the last event that caused any: those that are open.
  package private(set) var openCommands: [Command] = []
  /// Tokens over all answers of the turn; nil as long as no server has counted.
  package private(set) var promptTokens: Int64?
  package private(set) var completionTokens: Int64?

  /// Whether it goes on without whoever began it: nobody's call waits for it, or it has waited for a person.
  package private(set) var isDetached = false

  private var repairsMade: Int64 = 0
  private var toolRepairsMade: Int64 = 0
  private var modelCalls: Int64 = 0
  /// How many calls of tools models have asked for.
  package private(set) var toolCalls: Int64 = 0
  private var repair: Command.Repair?

  package init() {}

  /// Takes an event with the number of its record and gives the commands that it causes. An event that does not fit
  /// causes nothing and leaves the open commands open; after the end nothing fits.
  package mutating func apply(_ event: Event, sequence: Int64) -> [Command] {
    let commands = reaction(to: event, sequence: sequence)
    replay(event, commands: commands, sequence: sequence)
    return commands
  }

  /// Takes an event whose commands are on record. They alone say how the run goes on: what this version would have
  /// made of the event does not matter.
  package mutating func replay(_ event: Event, commands: [Command], sequence: Int64) {
    switch (phase, event) {
    case (.finished, _): return
    case (.unborn, .began(let beginning)):
      self.beginning = beginning
      isDetached = beginning.isDetached
    case (.asking, .modelAnswered(let answer)):
      count(answer)
      if !answer.calls.isEmpty {
        toolCalls &+= Int64(answer.calls.count)
        phase = .calling(OpenCalls(sequence: sequence, answer: answer))
      }
    case (.calling(var calls), .toolReturned(let returned)):
      calls.close(returned.call)
      phase = .calling(calls)
    default: break
    }
    if commands.isEmpty { return }
    openCommands = commands
    var isTakenUp = true
    if case .decided = event { isTakenUp = false }
    for command in commands { follow(command, isTakenUp: isTakenUp) }
  }

  /// Takes another form of the same beginning.
  package mutating func restate(_ beginning: Beginning) { self.beginning = beginning }

  // MARK: - State

  private mutating func count(_ answer: ModelAnswered) {
    guard let prompt = answer.promptTokens, let completion = answer.completionTokens else { return }
    promptTokens = (promptTokens ?? 0) &+ prompt
    completionTokens = (completionTokens ?? 0) &+ completion
  }

  private mutating func follow(_ command: Command, isTakenUp: Bool) {
    switch command {
    case .askModel(let attempt, let asked):
      phase = .asking(attempt: attempt)
      modelCalls &+= 1
      if let asked, asked != repair {
        repairsMade &+= 1
        repair = asked
      }
    case .wait:
      if case .asking(let attempt) = phase { phase = .waiting(attempt: attempt) } else { phase = .waiting(attempt: 1) }
    case .callTool(let call, _): open(command, call, isTakenUp)
    case .answerCall(let call, let reason, _):
      open(command, call, isTakenUp)
      if reason == .arguments || reason == .unknown { toolRepairsMade &+= 1 }
    case .askPerson(let call, _):
      open(command, call, isTakenUp)
      isDetached = true
    case .finish(let finish): phase = .finished(finish)
    }
  }

  private mutating func open(_ command: Command, _ call: Int, _ isTakenUp: Bool) {
    guard case .calling(var calls) = phase else { return }
    calls.open(command, call: call, isTakenUp: isTakenUp)
    phase = .calling(calls)
  }

  // MARK: - Reactions

  private func reaction(to event: Event, sequence: Int64) -> [Command] {
    switch (phase, event) {
    case (.finished, _): return []
    case (_, .stopRequested(let reason, _)):
      switch reason {
      case .person: return [.finish(.init(status: .stopped, isManuallyStopped: true))]
      case .cancelled:
        return [.finish(.init(status: .stopped, internalStatus: "cancelled", isManuallyStopped: true))]
      case .timeout: return [.finish(.init(status: .stopped, internalStatus: "timeout"))]
      }
    case (_, .interrupted):
      return [
        .finish(
          .init(
            status: .error, internalStatus: "interrupted",
            result: "The run was interrupted: its process or plane ended."
          ))
      ]
    case (.unborn, .began): return [.askModel(attempt: 1, repair: nil)]
    case (.unborn, _), (_, .began): return []
    case (.waiting(let attempt), .waited): return [ask(attempt: attempt &+ 1, repair: repair)]
    case (.asking, .modelAnswered(let answer)):
      return answer.calls.isEmpty
        ? [reaction(to: answer, sequence: sequence)] : ToolReaction(run: self).commands(for: answer)
    case (.asking(let attempt), .modelFailed(let failure)): return [reaction(to: failure, attempt: attempt)]
    case (.calling(let calls), .toolReturned(let returned)): return reaction(to: returned, calls)
    case (.calling(let calls), .resumed): return ToolReaction(run: self).commands(resuming: calls)
    case (.asking(let attempt), .resumed): return [ask(attempt: attempt, repair: repair)]
    case (.waiting(let attempt), .resumed): return [ask(attempt: attempt &+ 1, repair: repair)]
    case (.calling(let calls), .probed(let call, let isKnown)):
      guard case .callTool(_, .probe)? = calls.command(call) else { return [] }
      return [isKnown ? .callTool(call: call, .again) : .askPerson(call: call, .outcome)]
    case (.calling(let calls), .decided(let decision)): return ToolReaction(run: self).commands(for: decision, calls)
    case (.asking, _), (.waiting, _), (.calling, _): return []
    }
  }

  /// Asks the model, if the turn may ask it once more.
  private func ask(attempt: Int64, repair: Command.Repair?) -> Command {
    if let most = beginning?.limits.modelCalls, modelCalls >= most {
      return Run.exceeded("model_calls", "The run used up the \(most) calls of the model that it may make.")
    }
    return .askModel(attempt: attempt, repair: repair)
  }

  /// The end of a run that crossed a limit.
  static func exceeded(_ limit: StaticString, _ told: String) -> Command {
    .finish(.init(status: .failed, internalStatus: "limit_\(limit)", result: told))
  }

  private func reaction(to returned: ToolReturned, _ calls: OpenCalls) -> [Command] {
    guard calls.command(returned.call) != nil else { return [] }
    var left = calls
    left.close(returned.call)
    return left.isOver ? [ask(attempt: 1, repair: nil)] : []
  }

  /// How often calls that do not fit were sent back.
  var refusedCalls: Int64 { toolRepairsMade }

  private func reaction(to answer: ModelAnswered, sequence: Int64) -> Command {
    guard let beginning, beginning.format == .json else { return .finish(.init(status: .completed)) }
    switch AnswerCheck.check(answer.text, against: beginning.schema) {
    case .acceptable(let result): return .finish(.init(status: .completed, result: result))
    case .unacceptable(let problem):
      guard repairsMade < beginning.repairs else {
        return .finish(.init(status: .failed, internalStatus: "output_schema", result: problem))
      }
      let prompt = "\(problem) Answer again, with the corrected JSON only and no other text."
      return ask(attempt: 1, repair: Command.Repair(sequence: sequence, prompt: prompt))
    }
  }

  private func reaction(to failure: ModelFailed, attempt: Int64) -> Command {
    if failure.kind == .refused {
      return .finish(.init(status: .failed, internalStatus: "refused", result: failure.message))
    }
    guard failure.isTransient, attempt < (beginning?.attempts ?? 1) else {
      return .finish(
        .init(status: .error, internalStatus: "model_\(failure.kind.rawValue)", result: failure.message))
    }
    return .wait(milliseconds: Backoff.milliseconds(after: failure, attempt: attempt))
  }
}
