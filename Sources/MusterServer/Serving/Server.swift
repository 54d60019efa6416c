import CMicrohttpd
import CPlatform
package import MusterAPI
import MusterHTTP
import MusterSystem

/// The REST service on a socket: one thread for all connections, and workers for what may wait.
package final class Server: @unchecked Sendable {
  /// How clients reach it.
  package let url: String

  private let plane: ControlPlane
  private let answering: Answering
  private let options: ServerOptions
  private let lock = Lock()
  private var loop: OpaquePointer?
  private var loopThread: UInt64?
  private var workers: Workers?
  private let metrics = ServerMetrics()
  private let requestLog: RequestLog?
  private let answers = AnswerCache()
  private let streams = Streams()
  private var stage = Stage.serving
  /// Until when answers may still be sent. The loop's own.
  private var farewell: Deadline?
  private var running: [Int: Interrupt] = [:]
  private var lastNumber = 0
  private let file: (path: String, device: UInt64, inode: UInt64)?

  private enum Stage {
    case serving
    /// No new connections; requests under way may end until then.
    case stopping(Deadline)
    /// Requests under way are interrupted.
    case interrupting
  }

  /// How long answers may take to reach clients that are slow to read them when everything else has ended.
  private static let farewellMilliseconds: Int64 = 1_000
  private static let tickMilliseconds: Int64 = 1_000
  /// Descriptors that connections leave to the rest of the process.
  private static let reserve: UInt32 = 64

  /// What makes the answer to a request, on a thread that may wait; the interrupt ends it early.
  typealias Answering = @Sendable (RESTRequest, Interrupt) -> RESTAnswer

  /// Listens, and answers until `stop`.
  package convenience init(plane: ControlPlane, options: ServerOptions) throws(Failure) {
    let rest = RESTService(
      plane: plane, settings: RESTSettings(network: options.network, rateLimits: options.rateLimits))
    try self.init(plane: plane, options: options) { rest.answer($0, interrupt: $1, tellsValidity: true) }
  }

  init(plane: ControlPlane, options: ServerOptions, answering: @escaping Answering) throws(Failure) {
    if let problem = Inside.run({ cmicrohttpd_load() }) {
      throw Failure(.unsupported, String(cString: problem))
    }
    self.plane = plane
    self.options = options
    self.answering = answering
    guard ProcessExit.watchServers() else { throw Failure(.internal, "out of memory") }
    requestLog = plane.log.isOn ? RequestLog(plane.log) : nil
    let listener = try Server.listen(options.listen)
    url = options.listen.url(port: cmicrohttpd_port(listener), isSecure: options.certificate != nil)
    if case .unix(let path) = options.listen {
      var device: UInt64 = 0
      var inode: UInt64 = 0
      path.withCString { cmicrohttpd_identity($0, &device, &inode) }
      file = (path, device, inode)
    } else {
      file = nil
    }
    workers = Workers(
      most: Int(options.workers), work: { [self] raw in perform(raw) }, finish: { [self] raw in finish(raw) })
    do throws(Failure) {
      try start(listener)
    } catch {
      workers = nil
      requestLog?.stop()
      removeFile()
      throw error
    }
    plane.log.write(.info, "server", "listening on \(url)")
  }

  private static func listen(_ address: ListenAddress) throws(Failure) -> Int32 {
    let listener: Int32
    switch address {
    case .tcp(let host, let port, let isIPv6): listener = host.withCString { cmicrohttpd_listen($0, port, isIPv6) }
    case .unix(let path): listener = path.withCString { cmicrohttpd_listen_unix($0) }
    }
    if listener == 0 &- EINVAL { throw Failure(.misuse, "options_json: listen has no numeric address") }
    guard listener >= 0 else {
      throw Failure(
        .network,
        "cannot listen on \(address.url(port: address.port, isSecure: false)): "
          + FileText.errorText(0 &- listener))
    }
    return listener
  }

  private func start(_ listener: Int32) throws(Failure) {
    let left = cmicrohttpd_descriptors_left()
    let room = left > 2 * Server.reserve ? left - Server.reserve : left / 2
    let context = Unmanaged.passUnretained(self).toOpaque()
    var problem = [CChar](repeating: 0, count: 256)
    let made = Server.withText(options.certificate) { certificate in
      Server.withText(options.key) { key in
        var settings = cmicrohttpd_settings(
          listener: listener, certificate: certificate, key: key,
          header_bytes: Int(options.maximumHeaderBytes), body_bytes: Int(options.maximumBodyBytes),
          connections: min(UInt32(clamping: options.maximumConnections), max(room, 1)),
          idle_milliseconds: options.idleMilliseconds, header_milliseconds: options.headerMilliseconds,
          context: context,
          arrived: { context, raw in
            guard let context else { return false }
            return Unmanaged<Server>.fromOpaque(context).takeUnretainedValue().arrived(raw)
          },
          read: { _, raw, bytes, most, isDue in
            Exchange.of(raw)?.stream?.read(bytes, most: most, isDue: isDue) ?? Int(cmicrohttpd_broken)
          },
          quiet_milliseconds: options.heartbeatMilliseconds,
          ended: { context, raw, status, isWhole in
            guard let context else { return }
            Unmanaged<Server>.fromOpaque(context).takeUnretainedValue().ended(raw, status, isWhole)
          })
        return Inside.run { cmicrohttpd_server_new(&settings, &problem, problem.count) }
      }
    }
    guard let made else {
      let text = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw Failure(options.certificate == nil ? .internal : .misuse, "the server cannot start: \(text)")
    }
    loop = made
    streams.begin(made)
    var thread: UInt64 = 0
    let pointer = Unmanaged.passRetained(self).toOpaque()
    let failure = platform_thread_start_joined(
      "muster-server",
      { pointer in
        guard let pointer else { return }
        Unmanaged<Server>.fromOpaque(pointer).takeRetainedValue().serve()
      }, pointer, &thread)
    guard failure == 0 else {
      Unmanaged<Server>.fromOpaque(pointer).release()
      streams.end()
      Inside.run { cmicrohttpd_server_free(made) }
      throw Failure(.internal, "no thread for the server: \(FileText.errorText(failure))")
    }
    loopThread = thread
  }

  /// The text with a NUL behind it.
  private static func withText<Value>(_ bytes: [UInt8]?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
    guard let bytes else { return body(nil) }
    let characters = bytes.map { CChar(bitPattern: $0) } + [0]
    return characters.withUnsafeBufferPointer { body($0.baseAddress) }
  }

  // MARK: - The loop's thread

  private func serve() {
    // The end of the process ends this thread, so that it is not in TLS when that is taken down.
    let exit = Interrupt()
    guard let loop, let number = ProcessExit.enter(exit) else { return }
    exit.whileWaking({ cmicrohttpd_server_wake(loop) }) {
      while exit.reason == nil, !isDone(loop) {}
    }
    ProcessExit.leave(number)
  }

  /// One round of the loop. True when the server was stopped and has nothing left to do.
  private func isDone(_ loop: OpaquePointer) -> Bool {
    cmicrohttpd_server_wait(loop, patienceMilliseconds)
    let woken = streams.takeWoken()
    Inside.run {
      for stream in woken { stream.goOn() }
      cmicrohttpd_server_step(loop)
    }
    requestLog?.waitForRoom()
    // In this order: whoever is in neither has ended.
    let (stage, requests) = lock.withLock { (self.stage, running.count) }
    let working = requests &+ streams.count
    switch stage {
    case .serving: return false
    case .stopping(let deadline): if deadline.hasPassed { interruptAll(loop) }
    case .interrupting: break
    }
    let left = Inside.run { () -> UInt32 in
      cmicrohttpd_server_quiesce(loop)
      return cmicrohttpd_server_close_idle(loop)
    }
    if left == 0 { return true }
    guard working == 0 else {
      farewell = nil
      return false
    }
    let end = farewell ?? .after(milliseconds: Server.farewellMilliseconds)
    farewell = end
    return end.hasPassed
  }

  /// How long the loop may wait when nothing happens.
  private var patienceMilliseconds: Int64 {
    // Whoever is slow to read is looked at more often at the end.
    guard farewell == nil else { return Server.tickMilliseconds / 50 }
    guard case .stopping(let deadline) = lock.withLock({ stage }), let left = deadline.remainingMilliseconds else {
      return Server.tickMilliseconds
    }
    return min(left, Server.tickMilliseconds)
  }

  private func interruptAll(_ loop: OpaquePointer) {
    let interrupts = lock.withLock { () -> [Interrupt] in
      stage = .interrupting
      return running.map { $0.value }
    }
    for interrupt in interrupts { interrupt.fire(.closing) }
    Inside.run { streams.interrupt(loop) }
  }

  private func arrived(_ raw: OpaquePointer) -> Bool {
    let exchange = Exchange(raw, isLogged: requestLog != nil)
    cmicrohttpd_request_attach(raw, Unmanaged.passRetained(exchange).toOpaque())
    if exchange.isOpen {
      // Nothing that is read from the store, so it takes less than handing it over. Out of the gate all the same.
      let answer = Inside.stepOut { self.answer(exchange) }
      exchange.send(answer, streams)
      return true
    }
    if !isInterrupting, let kept = Inside.stepOut({ self.kept(exchange) }) {
      exchange.send(kept)
      return true
    }
    let isOpen = lock.withLock { () -> Bool in
      if case .interrupting = stage { return false }
      lastNumber &+= 1
      exchange.number = lastNumber
      running[lastNumber] = exchange.interrupt
      return true
    }
    if isOpen, let workers {
      cmicrohttpd_request_suspend(raw)
      if workers.submit(raw) { return false }
      // It goes on as if it had not rested: the loop comes back for its answer.
      lock.withLock { running[exchange.number] = nil }
      exchange.send(Server.refused("all workers are busy"), streams)
      cmicrohttpd_request_resume(raw)
      return false
    }
    exchange.send(Server.refused("the server is stopping"), streams)
    return true
  }

  private var isInterrupting: Bool {
    lock.withLock {
      if case .interrupting = stage { return true }
      return false
    }
  }

  /// The answer to an earlier request if this one would be answered the same. Called outside of the fork gate.
  private func kept(_ exchange: Exchange) -> KeptAnswer? {
    // Whoever is limited is counted, and a count is a commit.
    guard options.rateLimits == nil, let name = exchange.name else { return nil }
    return answers.answer(name) { plane.changeNumber }
  }

  private static func refused(_ why: String) -> RESTAnswer { .failure(Failure(.busy, why)) }

  private func ended(_ raw: OpaquePointer, _ status: UInt32, _ isWhole: Bool) {
    let exchange = cmicrohttpd_request_attachment(raw).map {
      Unmanaged<Exchange>.fromOpaque($0).takeRetainedValue()
    }
    exchange?.stream?.close(isComplete: isWhole)
    let method = exchange.map { ServerMetrics.label(method: $0.method) }
    let facts = exchange?.facts ?? RESTAnswer.Facts()
    let microseconds = (platform_clock_monotonic_nanoseconds() &- cmicrohttpd_request_began(raw)) / 1_000
    metrics.count(route: facts.route, method: method ?? "other", status: status, microseconds: microseconds)
    guard let requestLog else { return }
    var remote = [CChar](repeating: 0, count: 64)
    cmicrohttpd_request_remote(raw, &remote, remote.count)
    var size = 0
    _ = cmicrohttpd_request_body(raw, &size)
    requestLog.add(
      .init(
        facts: facts, trace: exchange?.trace, method: method, status: status, durationMicroseconds: microseconds,
        bytesIn: size, bytesOut: method == "HEAD" ? 0 : exchange?.answerSize ?? 0,
        remote: String(decoding: remote.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)))
  }

  // MARK: - Workers

  private func perform(_ raw: OpaquePointer) {
    guard let exchange = Exchange.of(raw) else { return }
    let answer = answer(exchange)
    if let kept = KeptAnswer(answer), let name = exchange.name {
      answers.keep(kept, as: name)
      exchange.send(kept, requestID: answer.facts.requestID)
    } else {
      exchange.send(answer, streams)
    }
  }

  private func finish(_ raw: OpaquePointer) {
    guard let number = Exchange.of(raw)?.number else { return }
    cmicrohttpd_request_resume(raw)
    // Only now: the loop does not end before it has taken the answer.
    lock.withLock { running[number] = nil }
  }

  private func answer(_ exchange: Exchange) -> RESTAnswer {
    guard exchange.isForMetrics else {
      return answering(exchange.request, exchange.interrupt)
    }
    guard exchange.request.method == "GET" || exchange.request.method == "HEAD" else {
      var answer = RESTAnswer.failure(.rest(405, "Method Not Allowed"))
      answer.headers.append(("Allow", "GET, HEAD"))
      return answer
    }
    var answer = RESTAnswer(status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
    answer.facts.route = "/metrics"
    answer.body = metrics.text(
      [
        (
          "muster_server_requests_in_flight", "Requests that workers are busy with.",
          Int64(lock.withLock { running.count })
        ),
        ("muster_server_streams", "Answers that are sent while they are being made.", Int64(streams.count)),
        ("muster_server_workers_busy", "Threads that work on a request.", Int64(workers?.busy ?? 0)),
        (
          "muster_server_connections", "Connections that are open.",
          Int64(loop.map { cmicrohttpd_server_connections($0) } ?? 0)
        ),
      ], plane.measures)
    return answer
  }

  // MARK: - The end

  /// Takes no more connections, lets requests under way end for as long as `stop_timeout_ms`, interrupts the rest, and
  /// closes. `isAtOnce` interrupts them without waiting. Called once.
  package func stop(isAtOnce: Bool = false) {
    lock.withLock { stage = .stopping(.after(milliseconds: isAtOnce ? 0 : options.stopMilliseconds)) }
    if let loop { cmicrohttpd_server_wake(loop) }
    if let loopThread { platform_thread_join(loopThread) }
    workers?.stop()
    workers = nil
    streams.end()
    if let loop { Inside.run { cmicrohttpd_server_free(loop) } }
    loop = nil
    requestLog?.stop()
    removeFile()
    plane.log.write(.info, "server", "stopped")
  }

  private func removeFile() {
    guard let file else { return }
    file.path.withCString { cmicrohttpd_unlink($0, file.device, file.inode) }
  }
}
