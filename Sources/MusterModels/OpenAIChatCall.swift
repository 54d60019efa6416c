import MusterHTTP
import MusterSystem

/// One streamed attempt: what the network's thread says, read and handed on.
final class OpenAIChatCall: ModelCall, HTTPReceiver, @unchecked Sendable {
  // Of the network's thread.
  private let request: ModelRequest
  private var stream: OpenAIChatStream?
  /// Nil when it has heard the end.
  private var listener: (any ModelListener)?

  private let lock = Lock()
  private var call: HTTPCall?
  /// Why the attempt shall end, while it is not known yet how to end it.
  private var cancelled: Interrupt.Reason?
  private var isOver = false

  init(_ request: ModelRequest, _ listener: any ModelListener) {
    // The conversation is sent already, and may be long.
    self.request = ModelRequest(
      endpoint: request.endpoint, model: request.model, messages: [], tools: request.tools)
    self.listener = listener
  }

  /// Takes what `start` gave; by then the attempt may be over.
  func attach(_ call: HTTPCall) {
    let reason = lock.withLock { () -> Interrupt.Reason? in
      if !isOver { self.call = call }
      return cancelled
    }
    if let reason { call.cancel(reason) }
  }

  func cancel(_ reason: Interrupt.Reason) {
    // Outside of the lock: who cancels may be told at once.
    let call = lock.withLock { () -> HTTPCall? in
      if cancelled == nil { cancelled = reason }
      return self.call
    }
    call?.cancel(reason)
  }

  // MARK: - On the network's thread

  func began(status: Int, headers: [HTTPHeader]) {
    stream = OpenAIChatStream(request, status: status, headers: headers)
  }

  func received(_ bytes: [UInt8]) {
    // What comes behind the end of an answer is not for anybody; a server that goes on talking is not listened to.
    guard listener != nil else { return cancel(.cancelled) }
    let text = stream?.read(bytes) ?? []
    if !text.isEmpty { listener?.heard(text) }
    guard let outcome = stream?.outcome else { return }
    end(outcome)
    // A whole answer leaves a connection that can serve again: its last bytes may still come. A failure does not.
    if case .failed = outcome { cancel(.cancelled) }
  }

  func ended(_ error: HTTPError?) {
    lock.withLock {
      isOver = true
      call = nil
    }
    guard listener != nil else { return }
    var outcome: ModelOutcome?
    if stream != nil {
      let text = stream?.finish(error) ?? []
      if !text.isEmpty { listener?.heard(text) }
      outcome = stream?.outcome
    }
    // Without a head there is no answer either.
    end(outcome ?? .failed(OpenAIChatClient.failure(error ?? .broken("no answer"), request)))
  }

  private func end(_ outcome: ModelOutcome) {
    let last = listener
    listener = nil
    stream = nil
    last?.ended(outcome)
  }
}
