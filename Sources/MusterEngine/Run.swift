import MusterJSON

/// A turn of a task as a state machine: events go in, commands come out, and nothing else happens. The state after any prefix of the journal is the fold
/// of that prefix.
package struct Run: Sendable {
  package enum Phase: Sendable {
    case unborn
    case asking(attempt: Int64)
    case waiting(attempt: Int64)
    case finished(Command.Finish)
  }

  package private(set) var phase = Phase.unborn
  package private(set) var beginning: Beginning?
  /// The commands of the last event: those that are open.
  package private(set) var openCommands: [Command] = []
  /// Tokens over all answers of the turn; nil as long as no server has counted.
  package private(set) var promptTokens: Int64?
  package private(set) var completionTokens: Int64?

  private var repairsMade: Int64 = 0
  private var repair: Command.Repair?

  package init() {}

  /// Takes an event with the number of its record and gives the commands that it causes. After the end nothing causes anything.
  package mutating func apply(_ event: Event, sequence: Int64) -> [Command] {
    let commands = react(to: event, sequence: sequence)
    if case .finished = phase, commands.isEmpty { return [] }
    openCommands = commands
    return commands
  }

  /// Takes an event whose commands are on record.
  package mutating func replay(_ event: Event, sequence: Int64, commands: [Command]) {
    _ = react(to: event, sequence: sequence)
    openCommands = commands
    for case .finish(let finish) in commands { phase = .finished(finish) }
    for case .askModel(_, let repair) in commands { self.repair = repair }
  }

  private mutating func react(to event: Event, sequence: Int64) -> [Command] {
    switch (phase, event) {
    case (.finished, _): return []
    case (.unborn, .began(let beginning)):
      self.beginning = beginning
      return ask(attempt: 1)
    case (.unborn, _), (_, .began): return []
    case (_, .stopRequested(let reason)):
      switch reason {
      case .person: return finish(.init(status: .stopped, isManuallyStopped: true))
      case .cancelled: return finish(.init(status: .stopped, internalStatus: "cancelled", isManuallyStopped: true))
      case .timeout: return finish(.init(status: .stopped, internalStatus: "timeout"))
      }
    case (_, .interrupted):
      return finish(
        .init(
          status: .error, internalStatus: "interrupted", result: "The run was interrupted: its process or plane ended."))
    case (.waiting(let attempt), .waited): return ask(attempt: attempt &+ 1)
    case (.asking, .modelAnswered(let answer)): return accept(answer, sequence: sequence)
    case (.asking(let attempt), .modelFailed(let failure)): return retry(after: failure, attempt: attempt)
    case (.asking, .waited), (.waiting, .modelAnswered), (.waiting, .modelFailed): return []
    }
  }

  private mutating func ask(attempt: Int64) -> [Command] {
    phase = .asking(attempt: attempt)
    return [.askModel(attempt: attempt, repair: repair)]
  }

  private mutating func finish(_ finish: Command.Finish) -> [Command] {
    phase = .finished(finish)
    return [.finish(finish)]
  }

  private mutating func accept(_ answer: ModelAnswered, sequence: Int64) -> [Command] {
    if let prompt = answer.promptTokens, let completion = answer.completionTokens {
      promptTokens = (promptTokens ?? 0) &+ prompt
      completionTokens = (completionTokens ?? 0) &+ completion
    }
    guard let beginning, beginning.format == .json else { return finish(.init(status: .completed)) }
    switch AnswerCheck.check(answer.text, against: beginning.schema) {
    case .acceptable(let result): return finish(.init(status: .completed, result: result))
    case .unacceptable(let problem):
      guard repairsMade < beginning.repairs else {
        return finish(.init(status: .failed, internalStatus: "output_schema", result: problem))
      }
      repairsMade += 1
      repair = Command.Repair(
        sequence: sequence,
        prompt: "\(problem) Answer again, with the corrected JSON only and no other text.")
      return ask(attempt: 1)
    }
  }

  private mutating func retry(after failure: ModelFailed, attempt: Int64) -> [Command] {
    if failure.kind == .refused {
      return finish(.init(status: .failed, internalStatus: "refused", result: failure.message))
    }
    guard failure.isTransient, attempt < (beginning?.attempts ?? 1) else {
      return finish(.init(status: .error, internalStatus: "model_\(failure.kind.rawValue)", result: failure.message))
    }
    phase = .waiting(attempt: attempt)
    return [.wait(milliseconds: Backoff.milliseconds(after: failure, attempt: attempt))]
  }
}
