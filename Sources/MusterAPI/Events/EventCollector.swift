import MusterJSON
import MusterSystem

/// Waits for all events of an operation that gives events, for a caller who wants them at once.
final class EventCollector: SubmissionReader, @unchecked Sendable {
  private let lock = Lock()
  private let changed = Condition()
  private var hasNews = false

  /// The handler of such operations: an array of all events, once there are no more.
  @Sendable static func collect(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let submission = Submission(call)
    let collector = EventCollector()
    submission.setReader(collector)
    defer { submission.close() }
    try submission.start()
    return try call.interrupt.whileWaking({ collector.mayHaveMore() }) { () throws(Failure) in
      try collector.events(of: submission, call)
    }
  }

  func mayHaveMore() {
    lock.withLock {
      hasNews = true
      changed.signal()
    }
  }

  private func events(of submission: Submission, _ call: OperationCall) throws(Failure) -> Operation.Answer {
    var writer = JSONWriter(capacity: 4096)
    writer.beginArray()
    while true {
      while let item = submission.next() {
        switch item {
        case .data(let json, _): writer.value(.trusted(json))
        case .final(let json, _, let failure):
          if let failure { throw failure }
          if let json { writer.value(.trusted(json)) }
          writer.endArray()
          return .json(writer.bytes)
        case .tool: break
        }
      }
      if let reason = call.interrupt.reason { submission.interrupt(reason) }
      // A run that is out of time ends by itself, and its events with it.
      let isOver = call.operation.form == .events && call.deadline.hasPassed
      if isOver { throw Failure(.timeout, "the time of the call ran out") }
      lock.withLock {
        if !hasNews { _ = changed.wait(lock, until: .after(milliseconds: 50)) }
        hasNews = false
      }
    }
  }
}
