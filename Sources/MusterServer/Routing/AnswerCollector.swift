package import MusterAPI
import MusterSystem

/// Takes a whole answer from its source, for whoever has no connection to send it on.
final class AnswerCollector: @unchecked Sendable {
  /// What is asked for at once.
  private static let piece = 65_536

  private let lock = Lock()
  private let changed = Condition()
  private var isWoken = false

  private func wake() {
    lock.withLock {
      isWoken = true
      changed.signal()
    }
  }

  private func rest() {
    lock.withLock {
      while !isWoken { _ = changed.wait(lock) }
      isWoken = false
    }
  }

  /// Waits for the end of the source, and closes it; nil when it has more than `maximum` bytes.
  func take(_ source: any AnswerSource, maximum: Int) -> [UInt8]? {
    source.listen { [self] in wake() }
    var body: [UInt8] = []
    while true {
      switch source.take(maximum: AnswerCollector.piece) {
      case .bytes(let bytes):
        guard bytes.count <= maximum - body.count else {
          source.closed(isComplete: false)
          return nil
        }
        body += bytes
      case .nothing: rest()
      case .end:
        source.closed(isComplete: true)
        return body
      }
    }
  }
}

extension RESTAnswer {
  /// The answer with its whole body, which may take as long as it is being made; `isWanted` is false for HEAD.
  package func collected(isWanted: Bool, maximum: Int) throws(Failure) -> RESTAnswer {
    guard let source else { return self }
    var answer = self
    answer.source = nil
    guard isWanted else {
      source.closed(isComplete: false)
      return answer
    }
    guard let body = AnswerCollector().take(source, maximum: maximum) else {
      throw Failure(.limit, "the answer has more than \(maximum) bytes")
    }
    answer.body = body
    return answer
  }
}
