import MusterAPI
import MusterJSON
import MusterSystem

/// The events of a submission as server-sent events.
final class EventStream: AnswerSource, SubmissionReader, @unchecked Sendable {
  private let submission: Submission
  private let lock = Lock()
  private var wake: (@Sendable () -> Void)?
  private var hasEnded = false

  init(_ submission: Submission) { self.submission = submission }

  func listen(_ wake: @escaping @Sendable () -> Void) {
    lock.withLock { self.wake = wake }
    submission.setReader(self)
  }

  func mayHaveMore() {
    let wake = lock.withLock { self.wake }
    wake?()
  }

  func take(maximum: Int) -> AnswerPiece {
    if hasEnded { return .end }
    var frames: [UInt8] = []
    while frames.count < maximum, let item = submission.next() {
      switch item {
      case .data(let json, _): EventStream.write(json, to: &frames)
      case .final(let json, _, _):
        hasEnded = true
        if let json { EventStream.write(json, to: &frames) }
        return frames.isEmpty ? .end : .bytes(frames)
      case .tool: break
      }
    }
    return frames.isEmpty ? .nothing : .bytes(frames)
  }

  func closed(isComplete: Bool) {
    submission.close()
    lock.withLock { wake = nil }
  }

  /// One frame: the place behind the event, and the event.
  private static func write(_ json: [UInt8], to frames: inout [UInt8]) {
    frames.reserveCapacity(frames.count &+ json.count &+ 40)
    if let id = JSON.trusted(json)["id"]?.utf8 {
      frames.append(contentsOf: "id: ".utf8)
      frames.append(contentsOf: id)
      frames.append(UInt8(ascii: "\n"))
    }
    frames.append(contentsOf: "data: ".utf8)
    frames.append(contentsOf: json)
    frames.append(contentsOf: "\n\n".utf8)
  }
}
