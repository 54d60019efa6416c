import CPlatform
import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("Connections of a loop")
struct HTTPLoopConnectionTests {
  @Test("requests one after the other use one connection, those at once one each, and some of those are kept")
  func reuse() throws {
    let server = StreamServer { $0.name == "now" ? whole("x") : nil }
    let loop = HTTPLoop()
    for _ in 0..<10 { #expect(loop.send(get("\(server.base)/now")).isComplete) }
    #expect(server.connections.made == 1)
    for round in 1...2 {
      let recorders = (0..<100).map { _ in Recorder() }
      for recorder in recorders { _ = try loop.start(get("\(server.base)/later"), recorder) }
      try awaitTrue("the requests") { server.requests.count == 10 + round * 100 }
      for request in server.requests.suffix(100) { server.send(whole("y"), to: request) }
      for recorder in recorders { #expect(recorder.wait().isComplete) }
      // A few more when some end at the very same moment.
      try awaitTrue("closed connections") { server.connections.made - server.connections.closed <= 80 }
      #expect(server.connections.made - server.connections.closed >= 60)
    }
    #expect(server.connections.made <= 140)
    loop.close()
    try awaitTrue("closed connections") { server.connections.made == server.connections.closed }
  }

  @Test("many requests at once do not keep those after them from using their connections")
  func reuseAmongMany() throws {
    let server = StreamServer { $0.name == "now" ? whole("x") : nil }
    let loop = HTTPLoop()
    let waiting = (0..<300).map { _ in Recorder() }
    for recorder in waiting { _ = try loop.start(get("\(server.base)/later"), recorder) }
    try awaitTrue("the requests") { server.requests.count == 300 }
    for _ in 0..<20 { #expect(loop.send(get("\(server.base)/now")).isComplete) }
    #expect(server.connections.made == 301)
    loop.close()
  }

  @Test("a kept connection that the host has closed is replaced unseen, but not for what may not be repeated")
  func stale() throws {
    let server = try ModelServer()
    let loop = HTTPLoop()
    for _ in 0..<20 { #expect(loop.send(ask(server.base, "stale")).isComplete) }
    for _ in 0..<5 { #expect(loop.send(ask(server.base, "once")).text.contains("the first of its connection")) }
    var request = ask(server.base, "fixed")
    let before = try server.observed().connections
    request.mayRepeat = false
    for _ in 0..<3 { #expect(loop.send(request).isComplete) }
    #expect(try server.observed().connections == before + 3)
    loop.close()
  }

  @Test("a connection that was made without restriction does not serve a restricted request")
  func scopes() throws {
    let server = StreamServer { _ in whole("x") }
    let url = "http://localhost:\(server.port)/x"
    let forbidden = HTTPError.forbidden("localhost:\(server.port)")
    let loop = HTTPLoop()
    #expect(loop.send(get(url)).isComplete)
    #expect(loop.send(get(url, network: .public)).error == forbidden)
    #expect(loop.send(get(url, network: try NetworkPolicy(allowing: ["loopback"]))).isComplete)
    #expect(server.connections.made == 2)
    #expect(loop.send(get(url, network: try NetworkPolicy(allowing: ["private"]))).error == forbidden)
    #expect(loop.send(get(url, network: try NetworkPolicy(allowing: ["localhost"]))).isComplete)
    #expect(loop.send(get(url, network: .public)).error == forbidden)
    #expect(loop.send(get(url, network: try NetworkPolicy(allowing: ["loopback"]))).isComplete)
    #expect(server.connections.made == 2)
    for host in ["10.0.0.1", "169.254.169.254", "2130706433", "[::1]"] {
      #expect(loop.send(get("http://\(host):9/", network: .public)).error == .forbidden("\(host):9"))
    }
    loop.close()
  }

  @Test("connections are not inherited by programs that the host starts, and signals are for other threads")
  func closeOnExec() throws {
    let server = StreamServer { _ in whole("x") }
    let loop = HTTPLoop()
    let masked = Shared(false)
    let recorder = Recorder { _, _ in
      var set = sigset_t()
      pthread_sigmask(SIG_SETMASK, nil, &set)
      masked.change { $0 = sigismember(&set, SIGINT) == 1 && sigismember(&set, SIGPIPE) == 1 }
    }
    _ = try loop.start(get("\(server.base)/x"), recorder)
    #expect(recorder.wait().isComplete)
    #expect(masked.value)
    let sockets = descriptors(connectedTo: server.port)
    #expect(sockets.count == 1)
    for socket in sockets { #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0) }
    loop.close()
  }

  @Test("one that sends without end does not keep others from being heard")
  func flood() throws {
    let flood = try ModelServer()
    let server = StreamServer()
    let loop = HTTPLoop()
    let flooded = Shared(0)
    let floods = try (0..<4).map { _ in
      try loop.start(ask(flood.base, "endless", maximumResponseBytes: .max), Counter(flooded))
    }
    try awaitTrue("the flood") { flooded.value > 1_000_000 }
    let recorder = Recorder()
    _ = try loop.start(get("\(server.base)/x"), recorder)
    try awaitTrue("the request") { server.requests.count == 1 }
    server.send(chunkedHead, to: server.requests[0])
    let time = milliseconds {
      for number in 1...20 {
        server.send(chunk("piece \(number)"), to: server.requests[0])
        recorder.wait { $0.pieces.count == number }
      }
    }
    #expect(time < 10_000)
    #expect(recorder.now.pieces.count == 20)
    for call in floods { call.cancel(.cancelled) }
    server.send(chunk(""), to: server.requests[0])
    #expect(recorder.wait().isComplete)
    loop.close()
  }

  private final class Counter: HTTPReceiver {
    private let count: Shared<Int>
    init(_ count: Shared<Int>) { self.count = count }
    func began(status: Int, headers: [HTTPHeader]) {}
    func received(_ bytes: [UInt8]) { count.change { $0 += bytes.count } }
    func ended(_ error: HTTPError?) {}
  }

  // MARK: - Names

  @Test("hundreds of requests to a host that has a name need few threads to find it, or to learn that there is none")
  func names() async {
    await #expect(processExitsWith: .success) {
      let server = StreamServer { _ in whole("x") }
      var name = [CChar](repeating: 0, count: 256)
      guard gethostname(&name, name.count) == 0 else { exit(1) }
      let own = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let loop = HTTPLoop()
      // Whether a machine knows its own name is not ours to say, but all learn the same.
      for host in [own, "nowhere.invalid"] {
        let recorders = (0..<400).map { _ in Recorder() }
        for recorder in recorders { _ = try loop.start(get("http://\(host):\(server.port)/x"), recorder) }
        var most = 0
        while recorders.contains(where: { $0.now.ends.isEmpty }) {
          most = max(most, try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)
        }
        guard most < 50 else { exit(2) }
        let complete = recorders.count { $0.now.isComplete }
        let unreachable = recorders.count { if case .cannotConnect = $0.now.error { true } else { false } }
        guard complete == 400 || unreachable == 400, host == own || unreachable == 400 else { exit(3) }
      }
      loop.close()
    }
  }

  // MARK: - The process

  @Test("a forked child can do nothing with the loop, and does not hurt the parent's")
  func fork() async {
    await #expect(processExitsWith: .success) {
      // The store does this in the library.
      guard platform_fork_watch({}, {}, {}) == 0 else { exit(1) }
      typealias Fork = @convention(c) () -> Int32
      guard let found = dlsym(nil, "fork") else { exit(2) }
      let fork = unsafeBitCast(found, to: Fork.self)

      let server = StreamServer()
      var loop: HTTPLoop? = HTTPLoop()
      let recorder = Recorder()
      guard let call = try loop?.start(get("\(server.base)/x"), recorder) else { exit(3) }
      try awaitTrue("the request") { server.requests.count == 1 }
      server.send(chunkedHead + chunk("before"), to: server.requests[0])
      recorder.wait { !$0.pieces.isEmpty }
      let child = fork()
      if child == 0 {
        // The child's: nothing hangs, nothing is left open.
        alarm(10)
        do {
          _ = try loop?.start(get("\(server.base)/y"), Recorder())
          _exit(10)
        } catch {}
        call.cancel(.cancelled)
        loop?.close()
        loop = nil
        _exit(descriptors(connectedTo: server.port).isEmpty ? 0 : 11)
      }
      var status: Int32 = 0
      guard waitpid(child, &status, 0) == child, status == 0 else { exit(4) }
      server.send(chunk(", after") + chunk(""), to: server.requests[0])
      guard recorder.wait().isComplete, recorder.now.text == "before, after" else { exit(5) }
      loop?.close()
    }
  }
}
