import MusterModels
import MusterSystem

/// An attempt that is under way: a fiber tells the listener what there is to hear.
final class SimulatedCall: ModelCall, @unchecked Sendable {
  private let reply: ModelReply
  private let deadline: Deadline
  private let listener: any ModelListener
  private let news = News()
  private var reason: Interrupt.Reason?

  init(_ reply: ModelReply, deadline: Deadline, _ listener: any ModelListener) {
    self.reply = reply
    self.deadline = deadline
    self.listener = listener
  }

  func cancel(_ reason: Interrupt.Reason) {
    if self.reason == nil { self.reason = reason }
    news.tell()
  }

  func run() {
    for piece in reply.pieces {
      if let failure = rest(piece.after) { return listener.ended(.failed(failure)) }
      listener.heard(piece.text)
    }
    if let failure = rest(reply.patience + reply.silence) { return listener.ended(.failed(failure)) }
    listener.ended(reply.outcome)
  }

  /// Waits; gives why it has to end, if it has.
  private func rest(_ milliseconds: Int64) -> ModelFailure? {
    let end = Deadline.after(milliseconds: milliseconds)
    while true {
      if let reason { return SimulatedModel.failure(.interrupted(reason)) }
      if deadline.hasPassed { return SimulatedModel.failure(.timedOut) }
      guard let left = end.earlier(deadline).remainingMilliseconds, left > 0 else { return nil }
      news.wait(milliseconds: left)
    }
  }
}
