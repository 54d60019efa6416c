import CMuster
import Glibc

/// `muster serve`.
enum ServeCommand {
  static let command = Command(
    "serve", "Serve the store over HTTP, until it is told to stop.",
    options: [
      .init("listen", "ADDRESS", "ADDRESS:PORT, [IPV6]:PORT or unix:PATH; default: \(usualAddress)."),
      .init(
        "allow-network", "WHAT",
        "What agents of API callers may reach beyond public addresses: loopback, private or HOST[:PORT]; may be given several times.",
        completion: .words(["loopback", "private"])),
      LimitOptions.limit, LimitOptions.price,
      .init("rate-limit", "LIMIT", "Requests a key has, as MINUTE/HOUR, or off; default: 100/1000."),
      .init("key-file", "FILE", "Where the first API key is written to, besides being printed.", completion: .files),
      .init("tls-cert", "FILE", "The certificate for https, as PEM.", completion: .files),
      .init("tls-key", "FILE", "Its key, as PEM.", completion: .files),
      .init("max-connections", "N", "Connections at once; default: 1024."),
      .init("workers", "N", "Requests under way at once; default: 256."),
      .init("stop-timeout", "SECONDS", "How long requests may go on after it was told to stop; default: 10."),
    ],
    details: """
      Prints the address, and with the first start the first API key, this once. Logs a line of JSON for each request to \
      standard error. SIGINT, SIGTERM and SIGHUP stop it: requests under way may end. A second one stops it at once. Limits hold \
      for turns of which the caller says nothing else.
      """, run: run)

  private static let usualAddress = "127.0.0.1:8080"

  @Sendable private static func run(_ session: Session) throws(Failure) -> Int32 {
    if session.isRemote { throw .usage("serve needs a store, not the address of a server") }
    let options = try serverOptions(session.options)
    guard let settings = Value.object() else { throw .outOfMemory }
    if let limits = try LimitOptions.limits(session.options) { settings.set("limits", limits) }
    if let prices = try LimitOptions.prices(session.options) { settings.set("prices", prices) }
    // Before the first thread is made. Whoever reads the log may go away.
    let stop = StopSignals()
    signal(SIGPIPE, SIG_IGN)
    let plane = try session.open(log: LogSink(), settings: settings)
    let key = try FirstKey.make(plane, file: session.options["key-file"])
    // Shown before anything else can fail: it is kept nowhere.
    if let key, !session.isJSON { Output.text("key \(key)\n") }
    var server: OpaquePointer?
    var error: OpaquePointer?
    let status = muster_serve(plane.handle, options.text, &server, &error)
    guard status == MUSTER_OK else {
      if let key, session.isJSON { Output.text("{\"key\":\"\(key)\"}\n") }
      throw Plane.failure(status, error).failure
    }
    // What earlier processes left goes on now that there is somebody to ask how it stands.
    let resumed = muster_resume(plane.handle, &error)
    guard resumed == MUSTER_OK else { throw Plane.failure(resumed, error).failure }
    let url = try url(of: server)
    if session.isJSON {
      let answer = try Value.object("url", url)
      if let key { answer.set("key", key) }
      Output.text(answer.text + "\n")
    } else {
      Output.text("listening on \(url)\n")
    }
    _ = stop.wait()
    Output.note("stopping; again to stop at once")
    stop.endProgramAtNext()
    _ = muster_server_stop(server)
    return ExitCode.success
  }

  private static func url(of server: OpaquePointer?) throws(Failure) -> String {
    var url: UnsafeMutablePointer<CChar>?
    var error: OpaquePointer?
    let status = muster_server_url(server, &url, nil, &error)
    guard status == MUSTER_OK, let url else { throw Plane.failure(status, error).failure }
    defer { muster_free(url) }
    return String(cString: url)
  }

  private static func serverOptions(_ options: Options) throws(Failure) -> Value {
    let wanted = try Value.object("listen", options["listen"] ?? usualAddress)
    for (option, key) in [("rate-limit", "rate_limit"), ("tls-cert", "tls_cert"), ("tls-key", "tls_key")] {
      if let value = options[option] { wanted.set(key, value) }
    }
    let allowed = options.all("allow-network")
    if !allowed.isEmpty, let list = Value.array(allowed) { wanted.set("allow_network", list) }
    for (option, key) in [("max-connections", "max_connections"), ("workers", "workers")] {
      if let value = try options.integer(option) { wanted.set(key, value) }
    }
    if let seconds = try options.integer("stop-timeout") {
      guard (0...3_600).contains(seconds) else {
        throw .usage("--stop-timeout needs 0 to 3600 seconds, not \(seconds)")
      }
      wanted.set("stop_timeout_ms", seconds * 1000)
    }
    return wanted
  }
}
