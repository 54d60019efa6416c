import MusterJSON
import MusterModels
import MusterStore
import MusterSystem

/// A model that answers, asks for tools, fails, is slow, or says nothing at all.
final class SimulatedModel: ModelClient, @unchecked Sendable {
  private let host: Host
  private let world: World

  init(host: Host) {
    self.host = host
    world = host.world
  }

  func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer {
    let reply = reply(to: request)
    let until = Deadline.after(milliseconds: reply.pieces.reduce(reply.patience) { $0 + $1.after })
    let news = News()
    let failure = interrupt.whileWaking({ news.tell() }) { () -> ModelFailure? in
      while true {
        if let reason = interrupt.reason { return SimulatedModel.failure(.interrupted(reason)) }
        if until.hasPassed { return nil }
        if deadline.hasPassed { return SimulatedModel.failure(.timedOut) }
        if tick?() == false { return SimulatedModel.failure(.abandoned) }
        news.wait(milliseconds: min(until.earlier(deadline).remainingMilliseconds ?? 50, 50))
      }
    }
    if let failure { throw failure }
    switch reply.outcome {
    case .failed(let failure): throw failure
    case .answered(let end): return end.answer(heard: reply.pieces.flatMap { $0.text })
    }
  }

  func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall {
    let reply = reply(to: request)
    if case .failed(let failure) = reply.outcome, reply.pieces.isEmpty, world.dice.percent(20) { throw failure }
    let call = SimulatedCall(reply, deadline: deadline, listener)
    Fiber.spawn("model", in: host.number) { call.run() }
    return call
  }

  static func failure(_ kind: ModelFailure.Kind, isTransient: Bool = false) -> ModelFailure {
    ModelFailure(kind: kind, message: "the model: \(kind)", isTransient: isTransient)
  }

  // MARK: - What it says

  private func reply(to request: ModelRequest) -> ModelReply {
    let number = question(request)
    world.counts.questions += 1
    guard let number, let turn = world.turn(number) else {
      world.violate("the model is asked for no turn")
      return ModelReply(pieces: [], patience: 0, outcome: .failed(SimulatedModel.failure(.refused)))
    }
    turn.asks += 1
    world.note("model is asked for \(turn.prompt), the time \(turn.asks)")
    // Those below it are stopped right behind it.
    if let end = turn.end, !turn.isTeam {
      world.violate("the model is asked for \(turn.prompt), which has ended \(end.word)")
    }
    if let most = turn.modelCalls, turn.asks > most {
      world.violate("\(turn.prompt) may ask its model \(most) times, and has asked \(turn.asks) times")
    }
    return ModelReply(to: turn, tools: request.tools.map { $0.name }, world: world)
  }

  /// The number of the turn that asks; looks whether what it says is a conversation.
  private func question(_ request: ModelRequest) -> Int? {
    var number: Int?
    var open: [String] = []
    for message in request.messages {
      switch message {
      case .text(let role, let text):
        if !open.isEmpty { world.violate("a call without a result is followed by a text") }
        // What agents of a sequence came to stands behind it.
        let prompt = (text.string ?? "").prefix { $0 != "\n" }
        if role == .user, let found = Turn.number(of: String(prompt)) { number = found }
      case .calls(_, let calls, _):
        if !open.isEmpty { world.violate("a call without a result is followed by other calls") }
        open = calls.map { $0.id }
      case .result(let id, let content):
        if open.first != id { world.violate("the result of \(id) stands where that of \(open.first ?? "none") has to") }
        open = Array(open.dropFirst())
        if content.kind == .null { world.counts.emptyResults += 1 }
      }
    }
    if !open.isEmpty { world.violate("the model is asked with \(open.count) calls that have no result") }
    return number
  }
}
