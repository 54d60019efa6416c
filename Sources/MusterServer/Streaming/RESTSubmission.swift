package import MusterAPI
import MusterJSON
package import MusterSystem

/// A request that no thread waits for: its answer comes as events. The first has status and headers; then comes one for
/// each frame of a stream, or the body as the last.
package final class RESTSubmission: PoolJob, QueueSource, SubmissionReader, @unchecked Sendable {
  private let service: RESTService
  private let request: RESTRequest
  private let interrupt: Interrupt
  private let lock = Lock()
  // Under the lock.
  private var reader: (any SubmissionReader)?
  private var submission: Submission?
  private var items = Queue<SubmissionItem>()
  private var isClosed = false
  // Of who reads.
  private var routed: RoutedRequest?
  private var isStreaming = false

  package init(service: RESTService, request: RESTRequest, interrupt: Interrupt) {
    self.service = service
    self.request = request
    self.interrupt = interrupt
  }

  package func setReader(_ reader: any SubmissionReader) {
    lock.withLock { if !isClosed { self.reader = reader } }
    reader.mayHaveMore()
  }

  package func mayHaveMore() {
    let reader = lock.withLock { self.reader }
    reader?.mayHaveMore()
  }

  /// Does what can be done without waiting for a model; on any thread, once.
  package func run() {
    if interrupt.reason == .cancelled {
      return give([.final(nil, sequence: 0, failure: Failure(.cancelled, "the call was cancelled before it began"))])
    }
    let routed = service.route(request)
    guard case .call(let call) = routed.step, call.client == nil else {
      // The Python client's routes make several calls of one request: they are made here.
      return give(items(of: service.answer(request, interrupt: interrupt)))
    }
    do throws(Failure) {
      let submission = try service.submission(call, interrupt)
      let isRead = lock.withLock { () -> Bool in
        if isClosed { return false }
        self.routed = routed
        self.submission = submission
        return true
      }
      // What nobody reads is done all the same.
      if isRead { submission.setReader(self) } else { submission.close() }
      submission.run()
    } catch {
      give(items(of: service.answer(routed, error)))
    }
  }

  private func give(_ given: [SubmissionItem]) {
    lock.withLock { for item in given { items.append(item) } }
    mayHaveMore()
  }

  // MARK: - Reading

  package func next() -> SubmissionItem? {
    let (known, submission, routed) = lock.withLock { (items.popFirst(), self.submission, self.routed) }
    if let known { return known }
    guard let submission, let routed, let item = submission.next() else { return nil }
    if isStreaming { return item }
    switch item {
    case .data(let json, let sequence):
      isStreaming = true
      lock.withLock { items.append(.data(json, sequence: sequence)) }
      return RESTSubmission.head(of: service.eventsHead(routed))
    case .final(let json, let sequence, let failure):
      lock.withLock { self.submission = nil }
      if let failure, json == nil || failure.status == .closed {
        return start(items(of: service.answer(routed, failure)))
      }
      guard case .call(let call) = routed.step, call.operation.form.isStream else {
        return start(items(of: service.answer(routed, json ?? Array(JSON.null.bytes))))
      }
      // A stream of one frame.
      return start([
        RESTSubmission.head(of: service.eventsHead(routed)), .final(json, sequence: sequence, failure: failure),
      ])
    case .tool: return item
    }
  }

  private func start(_ given: [SubmissionItem]) -> SubmissionItem? {
    lock.withLock {
      for item in given { items.append(item) }
      return items.popFirst()
    }
  }

  package func close() {
    let submission = lock.withLock { () -> Submission? in
      isClosed = true
      reader = nil
      items = Queue()
      return self.submission
    }
    submission?.close()
  }

  // MARK: - Items

  /// The events that an answer is.
  private func items(of given: RESTAnswer) -> [SubmissionItem] {
    var answer = given
    if request.method == "HEAD" { answer.body = [] }
    var body = answer.body
    let isJSON =
      !body.isEmpty && answer.headers.contains { $0.name == "Content-Type" && $0.value == "application/json" }
    if !isJSON {
      var writer = JSONWriter(capacity: body.count &+ 2)
      writer.value(utf8: body)
      body = writer.bytes
    }
    return [RESTSubmission.head(of: answer), .final(body, sequence: 0, failure: nil)]
  }

  private static func head(of answer: RESTAnswer) -> SubmissionItem {
    var writer = JSONWriter(capacity: 256)
    writer.beginObject()
    writer.member("status", Int64(answer.status))
    writer.key("headers")
    writer.beginObject()
    for header in answer.headers { writer.member(text: header.name, .string(header.value)) }
    writer.endObject()
    writer.endObject()
    return .data(writer.bytes, sequence: 0)
  }
}
