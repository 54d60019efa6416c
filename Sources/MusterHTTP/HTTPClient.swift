import CCurl
package import MusterSystem

/// Sends requests with libcurl, each on its caller's thread, and keeps connections for later ones. From any thread,
/// several at once.
///
/// libcurl is opened when the first request is made. Proxies come from the variables that curl reads (`http_proxy`,
/// `https_proxy`, `all_proxy`, `no_proxy`), trusted certificates from `CURL_CA_BUNDLE` or `SSL_CERT_FILE`, and
/// `SSL_CERT_DIR`, as they were when the client was made. Redirects are answers like others. A connection serves later
/// requests of the same network policy's scope only: one that was made without restriction never serves one that has any.
package final class HTTPClient: @unchecked Sendable {
  private let log: Log
  private let certificates: HTTPCertificates
  private let lock = Lock()
  /// Transfers that nobody uses, the latest one last: of those that fit it is taken first, so that few connections stay
  /// warm.
  private var idle: [HTTPTransfer] = []
  private var isClosed = false

  private static let idleLimit = 64
  /// The caller is asked a little more often than it was promised.
  private static let tickMilliseconds: Int64 = 40
  private static let waitMilliseconds: Int64 = 1_000

  package init(log: Log = .none) {
    self.log = log
    certificates = HTTPCertificates.fromEnvironment()
  }

  /// The version of libcurl, which this opens; nil when there is none.
  package static var libraryVersion: String? {
    guard let number = ProcessExit.enter(nil) else { return nil }
    defer { ProcessExit.leave(number) }
    return Inside.run { ccurl_load() } == nil && ProcessExit.watch() ? String(cString: ccurl_version()) : nil
  }

  /// Sends a request and waits for the whole answer.
  ///
  /// An interrupt from any thread ends the wait at once and closes the connection; one that fired earlier lets
  /// nothing be sent. `tick` is called on this thread, at least every 50 ms while waiting, and ends it with
  /// `abandoned` by answering false. A request over a kept connection that the host has closed meanwhile is sent
  /// again over a new one. The end of the process interrupts like the closing of a plane.
  package func perform(
    _ request: HTTPRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)? = nil
  ) throws(HTTPError) -> HTTPResponse {
    if let reason = interrupt.reason { throw .interrupted(reason) }
    if deadline.hasPassed { throw .timedOut }
    guard let number = ProcessExit.enter(interrupt) else { throw .interrupted(.closing) }
    defer { ProcessExit.leave(number) }
    return try send(request, deadline, interrupt, tick)
  }

  /// A function of its own, so that nothing of the request is left when it returns.
  @inline(never)
  private func send(
    _ request: HTTPRequest, _ deadline: Deadline, _ interrupt: Interrupt, _ tick: (() -> Bool)?
  ) throws(HTTPError) -> HTTPResponse {
    let transfer = try borrow(for: request)
    defer { giveBack(transfer) }
    try transfer.prepare(request, certificates: certificates)
    return try interrupt.whileWaking({ transfer.wake() }) { () throws(HTTPError) -> HTTPResponse in
      defer { transfer.stop() }
      try transfer.start()
      return try run(transfer, request, deadline, interrupt, tick)
    }
  }

  private func run(
    _ transfer: HTTPTransfer, _ request: HTTPRequest, _ deadline: Deadline, _ interrupt: Interrupt,
    _ tick: (() -> Bool)?
  ) throws(HTTPError) -> HTTPResponse {
    var nextTick = Deadline.after(milliseconds: tick == nil ? -1 : HTTPClient.tickMilliseconds)
    while true {
      // Asked before each step: an interrupt that fired before the waker was in place woke nobody.
      if let reason = interrupt.reason { throw .interrupted(reason) }
      if try transfer.step(request) { return transfer.response() }
      if deadline.hasPassed { throw .timedOut }
      if let tick, nextTick.hasPassed {
        if !tick() { throw .abandoned }
        nextTick = .after(milliseconds: HTTPClient.tickMilliseconds)
      }
      let left = deadline.earlier(nextTick).remainingMilliseconds ?? HTTPClient.waitMilliseconds
      try transfer.wait(milliseconds: min(left, HTTPClient.waitMilliseconds))
    }
  }

  /// Closes the connections that are kept. Requests under way go on; later ones work, and keep nothing.
  package func close() {
    // Freed outside the lock: closing a TLS connection says good-bye to the host.
    var released: [HTTPTransfer] = []
    lock.withLock {
      isClosed = true
      swap(&released, &idle)
    }
  }

  // MARK: - Transfers

  private func borrow(for request: HTTPRequest) throws(HTTPError) -> HTTPTransfer {
    let scope = try HTTPLibrary.scope(of: request, log)
    let kept = lock.withLock { () -> HTTPTransfer? in
      idle.lastIndex { $0.scope == scope }.map { idle.remove(at: $0) }
    }
    if let kept { return kept }
    try HTTPLibrary.load(log)
    guard let transfer = HTTPTransfer(scope: scope) else { throw .failed("out of memory") }
    return transfer
  }

  private func giveBack(_ transfer: HTTPTransfer) {
    // The request may hold a key, and the answer may be large: neither waits here for the next request.
    transfer.clear()
    // Freed outside the lock.
    var released: HTTPTransfer?
    lock.withLock {
      if isClosed { return }
      idle.append(transfer)
      // The one that was not used for the longest time makes room.
      if idle.count > HTTPClient.idleLimit { released = idle.removeFirst() }
    }
    _ = released
  }
}
