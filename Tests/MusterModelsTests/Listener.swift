import Foundation
import MusterJSON
import MusterModels

/// Keeps what is heard of an answer.
final class Listener: ModelListener, @unchecked Sendable {
  private let condition = NSCondition()
  private var pieces: [[UInt8]] = []
  private var ends: [ModelOutcome] = []
  private var afterEnd = 0
  /// Called with each piece, on the network's thread.
  private let onPiece: (@Sendable () -> Void)?

  init(_ onPiece: (@Sendable () -> Void)? = nil) { self.onPiece = onPiece }

  func heard(_ text: [UInt8]) {
    condition.withLock {
      pieces.append(text)
      if !ends.isEmpty { afterEnd += 1 }
      condition.broadcast()
    }
    onPiece?()
  }

  func ended(_ outcome: ModelOutcome) {
    condition.withLock {
      ends.append(outcome)
      condition.broadcast()
    }
  }

  var text: String { condition.withLock { String(decoding: pieces.joined(), as: UTF8.self) } }
  var count: Int { condition.withLock { pieces.count } }
  var endCount: Int { condition.withLock { ends.count } }
  /// Whether nothing was heard behind the end, and no piece was empty.
  var isInOrder: Bool { condition.withLock { afterEnd == 0 && pieces.allSatisfy { !$0.isEmpty } } }

  private func wait(_ seconds: Double, until isDone: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    condition.lock()
    defer { condition.unlock() }
    while !isDone() { if !condition.wait(until: end) { return isDone() } }
    return true
  }

  /// Waits for so many pieces.
  func hasHeard(_ count: Int, within seconds: Double = 10) -> Bool {
    wait(seconds) { pieces.count >= count || !ends.isEmpty } && self.count >= count
  }

  /// Waits for the end; nil when it does not come.
  func end(within seconds: Double = 30) -> ModelOutcome? {
    _ = wait(seconds) { !ends.isEmpty }
    return condition.withLock { ends.first }
  }

  /// Waits for the end, and makes the whole answer of what was heard.
  func answer() throws -> ModelAnswer {
    switch end() {
    case .answered(let end): return end.answer(heard: condition.withLock { Array(pieces.joined()) })
    case .failed(let failure): throw failure
    case nil: throw ModelFailure(kind: .timedOut, message: "the test has heard no end")
    }
  }

  /// Waits for the end, which has to be a failure.
  func failure() -> ModelFailure? {
    guard case .failed(let failure) = end() else { return nil }
    return failure
  }
}
