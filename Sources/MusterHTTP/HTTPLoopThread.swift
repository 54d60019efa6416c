import CCurl
import CPlatform
import MusterSystem

/// The thread of an `HTTPLoop`, and what it owns: the requests under way, an epoll descriptor, and curl's handles.
///
/// Other threads put requests and cancellations into its inbox. It lives until it was stopped and the last call is gone.
final class HTTPLoopThread: @unchecked Sendable {
  let loop: OpaquePointer
  private let generation = platform_fork_generation()
  private let lock = Lock()

  // Guarded by the lock: the inbox.
  private var submitted: [HTTPCall] = []
  private var cancelled: [HTTPCall] = []
  /// Whether it looks into the inbox before it waits the next time, so that nobody has to wake it.
  private var isAwake = true
  private var isEnding = false

  private var number: UInt64 = 0

  // The thread's own.
  private var scopes: [(scope: NetworkPolicy.Scope, raw: OpaquePointer)] = []
  /// To be started, in turn.
  private var queue: [HTTPCall] = []
  private var queueStart = 0
  private var names = HTTPNameQueue()

  /// So many requests are started before those that are under way have a turn again.
  private static let startsAtOnce = 64

  /// Starts the thread. libcurl is loaded.
  init() throws(HTTPError) {
    let made = ccurl_loop_new(
      { context, status, lines, count in
        let lines = Array(UnsafeBufferPointer(start: lines, count: count))
        let receiver = Unmanaged<HTTPCall>.fromOpaque(context).takeUnretainedValue().receiver
        Inside.stepOut { receiver?.began(status: Int(clamping: status), headers: HTTPResponse.headers(in: lines)) }
      },
      { context, bytes, count in
        let bytes = Array(UnsafeBufferPointer(start: bytes, count: count))
        let receiver = Unmanaged<HTTPCall>.fromOpaque(context).takeUnretainedValue().receiver
        Inside.stepOut { receiver?.received(bytes) }
      })
    guard let made else { throw .failed("no descriptors for the network: \(HTTPLoopThread.lastErrorText())") }
    loop = made
    let pointer = Unmanaged.passRetained(self).toOpaque()
    let failure = platform_thread_start_joined(
      "muster-network",
      { pointer in
        guard let pointer else { return }
        Unmanaged<HTTPLoopThread>.fromOpaque(pointer).takeRetainedValue().run()
      }, pointer, &number)
    guard failure == 0 else {
      Unmanaged<HTTPLoopThread>.fromOpaque(pointer).release()
      throw .failed("no thread for the network: \(FileText.errorText(failure))")
    }
  }

  deinit {
    // In a forked child the descriptors are closed already, and their numbers may be others'.
    if generation == platform_fork_generation() { ccurl_loop_free(loop) }
  }

  private static func lastErrorText() -> String { FileText.errorText(platform_errno()) }

  // MARK: - From any thread

  func submit(_ call: HTTPCall) throws(HTTPError) {
    let isTaken = lock.withLock { () -> Bool in
      guard !isEnding else { return false }
      submitted.append(call)
      wake()
      return true
    }
    guard isTaken else {
      end(call, nil, isTold: false)
      throw .interrupted(.closing)
    }
  }

  var isCurrent: Bool { platform_thread_is_current(number) }

  func cancel(_ call: HTTPCall, _ reason: Interrupt.Reason) {
    // Nothing of the parent's is touched; the lock may be held for ever.
    guard generation == platform_fork_generation() else { return }
    lock.withLock {
      // When everything ends, so does this one, and for its own reason.
      guard call.interrupt(reason), !isEnding else { return }
      cancelled.append(call)
      wake()
    }
  }

  /// Ends everything, and waits for the thread unless it is the calling one. Called once.
  func stop() {
    askToEnd()
    if isCurrent {
      platform_thread_detach(number)
    } else {
      platform_thread_join(number)
    }
  }

  private func askToEnd() {
    lock.withLock {
      isEnding = true
      wake()
    }
  }

  /// Called with the lock held.
  private func wake() {
    guard !isAwake else { return }
    isAwake = true
    ccurl_loop_wake(loop)
  }

  // MARK: - The thread

  private func run() {
    // The end of the process ends this thread, so that it is not in TLS when that is taken down.
    let exit = Interrupt()
    guard let number = ProcessExit.enter(exit) else {
      askToEnd()
      return endAll()
    }
    exit.whileWaking({ [self] in askToEnd() }) {
      while let milliseconds = emptyInbox() {
        ccurl_loop_wait(loop, milliseconds)
        Inside.run { ccurl_loop_step(loop) }
        deliverEnds()
        askForNames()
      }
    }
    endAll()
    Inside.run { ccurl_loop_close(loop) }
    ProcessExit.leave(number)
  }

  /// Does what other threads asked for, and answers how long to wait then; nil when everything is to end.
  private func emptyInbox() -> Int32? {
    if queueStart == queue.count {
      queue = []
      queueStart = 0
    }
    var ended: [HTTPCall] = []
    let (isEnding, hasWork) = lock.withLock { () -> (Bool, Bool) in
      swap(&ended, &cancelled)
      if queue.isEmpty { swap(&queue, &submitted) }
      isAwake = self.isEnding || !ended.isEmpty || !queue.isEmpty
      return (self.isEnding, isAwake)
    }
    if isEnding { return nil }
    guard hasWork else { return names.isWaiting ? HTTPNameQueue.tickMilliseconds : -1 }
    for call in ended { abort(call) }
    var left = HTTPLoopThread.startsAtOnce
    while left > 0, queueStart < queue.count {
      let call = queue[queueStart]
      queueStart += 1
      left -= 1
      if names.admits(call) { begin(call) }
    }
    deliverEnds()
    return 0
  }

  /// Starts a request, unless it was cancelled before its turn.
  private func begin(_ call: HTTPCall) {
    guard let stream = call.stream else { return }
    if let milliseconds = call.deadline.remainingMilliseconds {
      if milliseconds == 0 { return end(call, .timedOut) }
      let raw = ccurl_stream_request(stream)
      // Not later than in 24 days: that is as far as curl counts.
      let code = ccurl_request_set_long(raw, CURLOPT_TIMEOUT_MS, Int64(Int32(clamping: milliseconds)))
      guard code == CURLE_OK else { return end(call, .failed("libcurl did not take the deadline")) }
    }
    let context = Unmanaged.passRetained(call)
    let isStarted = Inside.run { () -> Bool in
      guard let scope = raw(call.scope) else { return false }
      return ccurl_stream_start(stream, scope, context.toOpaque())
    }
    guard isStarted else {
      context.release()
      return end(call, .failed("out of memory"))
    }
    names.add(call)
  }

  private func raw(_ scope: NetworkPolicy.Scope) -> OpaquePointer? {
    if let known = scopes.first(where: { $0.scope == scope }) { return known.raw }
    guard let made = ccurl_scope_new(loop) else { return nil }
    scopes.append((scope, made))
    return made
  }

  /// Ends a request that was cancelled, wherever it is.
  private func abort(_ call: HTTPCall) {
    guard let stream = call.stream else { return }
    // What is under way is found among the ended ones; what is not yet is ended here.
    if !Inside.run({ ccurl_stream_cancel(stream) }) { end(call, nil) }
  }

  private func deliverEnds() {
    var result = CURLE_OK
    var context: UnsafeMutableRawPointer?
    while ccurl_loop_ended(loop, &result, &context) != nil {
      guard let context else { continue }
      let call = Unmanaged<HTTPCall>.fromOpaque(context).takeRetainedValue()
      let error = call.error(result)
      end(call, error)
      if let error, result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY {
        for other in names.sharingFate(of: call) { end(other, error) }
      }
    }
  }

  /// Lets requests go on that waited until a name was looked up.
  private func askForNames() {
    let released = names.released()
    if !released.isEmpty { queue.insert(contentsOf: released, at: queueStart) }
    for call in names.expired() { end(call, .timedOut) }
  }

  /// Tells the receiver, once, and frees what curl had.
  private func end(_ call: HTTPCall, _ error: HTTPError?, isTold: Bool = true) {
    guard let (stream, reason) = lock.withLock({ call.takeEnd() }) else { return }
    Inside.run { ccurl_stream_free(stream) }
    let receiver = call.receiver
    call.receiver = nil
    if isTold { receiver?.ended(reason.map { .interrupted($0) } ?? error) }
  }

  private func endAll() {
    var left: [HTTPCall] = []
    lock.withLock {
      swap(&left, &submitted)
      cancelled = []
    }
    Inside.run { ccurl_loop_cancel_all(loop) }
    var result = CURLE_OK
    var context: UnsafeMutableRawPointer?
    while ccurl_loop_ended(loop, &result, &context) != nil {
      guard let context else { continue }
      end(Unmanaged<HTTPCall>.fromOpaque(context).takeRetainedValue(), .interrupted(.closing))
    }
    for call in queue[queueStart...] + names.takeAll() + left { end(call, .interrupted(.closing)) }
    // What has ended is not held any longer: it holds this object.
    queue = []
    queueStart = 0
    names = HTTPNameQueue()
  }
}
