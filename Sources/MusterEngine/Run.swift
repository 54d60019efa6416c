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

  /// What it has used up with its sub-tasks, and what it had when it called the tools that are open.
  package private(set) var usage = Usage()
  package private(set) var usageBeforeCalls = Usage()
  /// The record with the summary that stands before its prompt.
  package private(set) var summary: Int64?
  /// Whether the model is asked for that.
  package private(set) var isSummarizing = false

  private var repairsMade: Int64 = 0
  private var toolRepairsMade: Int64 = 0
  /// How many calls of tools its models have asked for.
  package private(set) var toolCalls: Int64 = 0
  /// How many tokens the model was given last.
  private var lastPromptTokens: Int64 = 0
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
      if let calls = beginning.team?.calls(sequence: sequence) { phase = .calling(calls) }
    case (.asking, .modelAnswered(let answer)):
      count(answer)
      if isSummarizing {
        isSummarizing = false
        summary = sequence
      } else if !answer.calls.isEmpty {
        toolCalls &+= Int64(answer.calls.count)
        usage.toolCalls &+= Int64(answer.calls.count)
        usageBeforeCalls = usage
        phase = .calling(OpenCalls(sequence: sequence, requests: answer.calls, key: answer.key ?? ""))
      }
    case (.calling(var calls), .toolReturned(let returned)):
      calls.close(returned.call)
      phase = .calling(calls)
      if let used = returned.usage { usage.add(used) }
      if isInSequence { usageBeforeCalls = usage }
    default: break
    }
    // Whoever began it was told by now that it goes on without them.
    if case .resumed = event { isDetached = true }
    if commands.isEmpty { return }
    openCommands = commands
    var isTakenUp = true
    // What a fork has of it was followed, as far as anybody knows, by the task that it has it from.
    if case .decided = event { isTakenUp = sequence <= beginning?.forkedAt ?? 0 }
    for command in commands { follow(command, isTakenUp: isTakenUp) }
  }

  /// Takes another form of the same beginning.
  package mutating func restate(_ beginning: Beginning) { self.beginning = beginning }

  // MARK: - State

  private mutating func count(_ answer: ModelAnswered) {
    guard let prompt = answer.promptTokens, let completion = answer.completionTokens else { return }
    promptTokens = (promptTokens ?? 0) &+ prompt
    completionTokens = (completionTokens ?? 0) &+ completion
    usage.inputTokens &+= prompt
    usage.outputTokens &+= completion
    // What is asked after a summary is shorter.
    if !isSummarizing { lastPromptTokens = prompt }
    var used = Usage()
    used.cost = beginning?.price?.cost(input: prompt, output: completion) ?? 0
    usage.add(used)
  }

  private mutating func follow(_ command: Command, isTakenUp: Bool) {
    switch command {
    case .askModel(let attempt, let asked):
      phase = .asking(attempt: attempt)
      usage.modelCalls &+= 1
      if let asked, asked != repair {
        repairsMade &+= 1
        repair = asked
      }
    case .summarize(let attempt):
      phase = .asking(attempt: attempt)
      usage.modelCalls &+= 1
      isSummarizing = true
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
      case .parent: return [.finish(.init(status: .stopped, internalStatus: "parent_ended"))]
      case .seconds:
        let most = beginning?.limits.seconds ?? 0
        return [Run.exceeded("seconds", "The run used up the \(most) seconds that it may take.")]
      }
    case (_, .interrupted):
      return [
        .finish(
          .init(
            status: .error, internalStatus: "interrupted",
            result: "The run was interrupted: its process or plane ended."
          ))
      ]
    case (.unborn, .began(let beginning)): return [first(of: beginning)]
    case (.unborn, _), (_, .began): return []
    case (.waiting(let attempt), .waited): return [ask(attempt: attempt &+ 1, repair: repair)]
    case (.asking, .modelAnswered(let answer)):
      if let exceeded = exceeded(by: answer) { return [exceeded] }
      if isSummarizing { return [ask(after: answer, repair: nil)] }
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

  private func first(of beginning: Beginning) -> Command {
    if beginning.team?.calls(sequence: 0) != nil { return .callTool(call: 0, .first) }
    if case .summary? = beginning.delegated?.memory { return .summarize(attempt: 1) }
    return .askModel(attempt: 1, repair: nil)
  }

  /// The end of a run that may start no sub-tasks; nil when it may.
  static func tooDeep(_ beginning: Beginning) -> Command? {
    guard let deepest = beginning.limits.depth, (beginning.delegated?.depth ?? 0) >= deepest else { return nil }
    return exceeded("depth", "The run may not start sub-tasks deeper than \(deepest).")
  }

  /// Asks the model after an answer, if the turn may ask it once more.
  private func ask(after answer: ModelAnswered, repair: Command.Repair?) -> Command {
    var then = self
    then.count(answer)
    return then.ask(attempt: 1, repair: repair, isSummarizing: false)
  }

  /// Asks the model, if the turn may ask it once more.
  private func ask(attempt: Int64, repair: Command.Repair?, isSummarizing: Bool? = nil) -> Command {
    if let limits = beginning?.limits {
      if let most = limits.modelCalls, usage.modelCalls >= most {
        return Run.exceeded("model_calls", "The run used up the \(most) calls of the model that it may make.")
      }
      // A further question is at least as long as the one before.
      if let most = limits.inputTokens, usage.inputTokens &+ lastPromptTokens > most {
        return Run.exceeded("input_tokens", "The run used up the \(most) tokens that it may give the model.")
      }
      if let most = limits.outputTokens, usage.outputTokens >= most {
        return Run.exceeded("output_tokens", "The run used up the \(most) tokens that the model may give it.")
      }
      if let most = limits.cost, let price = beginning?.price,
        usage.cost >= most || usage.cost &+ price.cost(input: lastPromptTokens, output: 0) > most
      {
        return Run.exceeded("cost", "The run used up what its models may cost.")
      }
    }
    return isSummarizing ?? self.isSummarizing
      ? .summarize(attempt: attempt) : .askModel(attempt: attempt, repair: repair)
  }

  /// How many tokens the next answer may have; nil: as many as the model likes.
  package var tokensLeft: Int64? {
    guard let beginning else { return nil }
    var left = beginning.limits.outputTokens.map { $0 &- usage.outputTokens }
    if let most = beginning.limits.cost, let price = beginning.price, price.output > 0 {
      let rest = most &- usage.cost &- price.cost(input: lastPromptTokens, output: 0)
      left = min(left ?? .max, rest / price.output)
    }
    return left.map { max($0, 1) }
  }

  /// The end of the run, if an answer has crossed a limit. Its text is kept.
  private func exceeded(by answer: ModelAnswered) -> Command? {
    guard let limits = beginning?.limits else { return nil }
    let crossed: (word: String, told: String)
    if let most = limits.inputTokens, usage.inputTokens &+ (answer.promptTokens ?? 0) > most {
      crossed = ("limit_input_tokens", "The run used up the \(most) tokens that it may give the model.")
    } else if let most = limits.outputTokens, usage.outputTokens &+ (answer.completionTokens ?? 0) > most {
      crossed = ("limit_output_tokens", "The run used up the \(most) tokens that the model may give it.")
    } else if let most = limits.cost, let price = beginning?.price,
      usage.cost &+ price.cost(input: answer.promptTokens ?? 0, output: answer.completionTokens ?? 0) > most
    {
      crossed = ("limit_cost", "The run used up what its models may cost.")
    } else {
      return nil
    }
    return .finish(
      .init(
        status: .failed, internalStatus: crossed.word, result: answer.text.isEmpty || isSummarizing ? crossed.told : nil
      ))
  }

  /// Whether agents work on the turn one after another, and not all have.
  private var isInSequence: Bool {
    guard let steps = beginning?.team?.steps, !steps.isEmpty, case .calling(let calls) = phase else { return false }
    return calls.key == beginning?.team?.key
  }

  /// The end of a run that crossed a limit.
  static func exceeded(_ limit: StaticString, _ told: String) -> Command {
    .finish(.init(status: .failed, internalStatus: "limit_\(limit)", result: told))
  }

  private func reaction(to returned: ToolReturned, _ calls: OpenCalls) -> [Command] {
    guard calls.command(returned.call) != nil else { return [] }
    if isInSequence, let team = beginning?.team { return [next(in: team, after: returned)] }
    var left = calls
    left.close(returned.call)
    guard left.isOver else { return [] }
    if let beginning, beginning.team?.end == .finishWithLast, !returned.isError, calls.requests.count == 1,
      beginning.tools?.tool(calls.requests[0].name)?.agent != nil
    {
      return [.finish(.init(status: .completed))]
    }
    return [askAfterCalls(returned)]
  }

  private func askAfterCalls(_ returned: ToolReturned) -> Command {
    var then = self
    if let used = returned.usage { then.usage.add(used) }
    return then.ask(attempt: 1, repair: nil)
  }

  /// What follows an agent's answer in a sequence.
  private func next(in team: Team, after returned: ToolReturned) -> Command {
    if returned.isError {
      if let tooDeep = beginning.flatMap({ Run.tooDeep($0) }) { return tooDeep }
      return .finish(.init(status: .failed, internalStatus: "sub_agent", result: returned.content.string))
    }
    if returned.call &+ 1 < team.steps.count { return .callTool(call: returned.call &+ 1, .first) }
    switch team.end {
    case .finishWithLast: return .finish(.init(status: .completed))
    case .returnToStart: return askAfterCalls(returned)
    }
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
      return ask(after: answer, repair: Command.Repair(sequence: sequence, prompt: prompt))
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
