import CPlatform
package import MusterSystem

/// Sends many requests at once on one thread, and hands out their answers as they come. From any thread.
///
/// For requests, proxies, certificates and network policies it is like `HTTPClient`; it keeps about 64 idle connections
/// for each scope of a network policy, and a few more when there are hundreds of requests. The thread is started with the
/// first request. In a forked child a loop of the parent starts nothing any more; the parent's requests are not the
/// child's, and nothing is heard of them there.
package final class HTTPLoop: @unchecked Sendable {
  private let log: Log
  private let certificates: HTTPCertificates
  private let generation = platform_fork_generation()
  private let lock = Lock()
  private var thread: HTTPLoopThread?
  private var isClosed = false

  package init(log: Log = .none) {
    self.log = log
    certificates = HTTPCertificates.fromEnvironment()
  }

  deinit { close() }

  /// Begins a request; never waits for the network. What can be said of it at once is thrown, all else reaches the
  /// receiver, which is held until then. The end of the process interrupts like the closing of the loop.
  package func start(
    _ request: HTTPRequest, deadline: Deadline, _ receiver: any HTTPReceiver
  ) throws(HTTPError) -> HTTPCall {
    guard generation == platform_fork_generation() else { throw .failed("the process has forked") }
    if deadline.hasPassed { throw .timedOut }
    // The loop's own thread is counted already, and keeps what OpenSSL has for it.
    if lock.withLock({ thread?.isCurrent ?? false }) { return try submit(request, deadline, receiver) }
    // While the process ends, libcurl may be gone already.
    guard let number = ProcessExit.enter(nil) else { throw .interrupted(.closing) }
    defer { ProcessExit.leave(number) }
    return try submit(request, deadline, receiver)
  }

  private func submit(
    _ request: HTTPRequest, _ deadline: Deadline, _ receiver: any HTTPReceiver
  ) throws(HTTPError) -> HTTPCall {
    try HTTPLibrary.load(log)
    let scope = try HTTPLibrary.scope(of: request, log)
    let thread = try runningThread()
    let call = try HTTPCall(request, scope, certificates, deadline, receiver, thread)
    try thread.submit(call)
    return call
  }

  /// Ends all requests with `.interrupted(.closing)` and waits until nothing more is heard of them. Later ones are
  /// refused with that error. Harmless when it is closed already.
  package func close() {
    // The thread is not in this process, and whoever had the lock may not be, either.
    guard generation == platform_fork_generation() else { return }
    let running = lock.withLock { () -> HTTPLoopThread? in
      isClosed = true
      defer { thread = nil }
      return thread
    }
    running?.stop()
  }

  private func runningThread() throws(HTTPError) -> HTTPLoopThread {
    lock.lock()
    defer { lock.unlock() }
    if isClosed { throw .interrupted(.closing) }
    if let thread { return thread }
    let started = try HTTPLoopThread()
    thread = started
    return started
  }
}
