import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("How requests on a loop end")
struct HTTPLoopEndTests {
  // MARK: - Cancelled

  @Test("a request that is cancelled in its body closes its connection and hears of that once")
  func cancelInBody() throws {
    let server = StreamServer { _ in chunkedHead + chunk("some") }
    let loop = HTTPLoop()
    let recorder = Recorder()
    let call = try loop.start(get("\(server.base)/x"), recorder)
    recorder.wait { !$0.pieces.isEmpty }
    let time = milliseconds {
      call.cancel(.stopped)
      recorder.wait()
    }
    #expect(time < 5_000)
    try awaitTrue("the closed connection") { server.connections.closed == 1 }
    call.cancel(.cancelled)
    for request in server.requests { server.send(chunk("more"), to: request) }
    #expect(loop.send(get("\(server.base)/y"), within: 100).error == .timedOut)
    let heard = recorder.now
    #expect(heard.error == .interrupted(.stopped))
    #expect(heard.pieces == ["some"])
    loop.close()
  }

  @Test("it does not matter how far a request has come when it is cancelled")
  func cancelEarly() throws {
    let hanging = Listener(backlog: 0)
    hanging.fill()
    let silent = Listener(backlog: 8)
    let loop = HTTPLoop()
    for url in [
      "http://127.0.0.1:\(hanging.port)/connecting", "https://127.0.0.1:\(silent.port)/shaking-hands",
      "http://127.0.0.1:\(silent.port)/waiting",
    ] {
      for delay in [UInt32(0), 30_000] {
        let recorder = Recorder()
        let call = try loop.start(get(url), recorder)
        usleep(delay)
        call.cancel(.cancelled)
        #expect(recorder.wait().error == .interrupted(.cancelled))
      }
    }
    #expect(descriptors(connectedTo: silent.port).isEmpty)
    loop.close()
  }

  @Test("a receiver that cancels its own request hears nothing more but the end")
  func cancelInside() throws {
    let server = StreamServer { _ in
      chunkedHead + (0..<50).map { chunk("piece \($0)") }.joined() + chunk("")
    }
    let loop = HTTPLoop()
    for moment in [Recorder.Moment.began, .received] {
      let call = Shared<HTTPCall?>(nil)
      let mayGoOn = DispatchSemaphore(value: 0)
      let recorder = Recorder { _, now in
        guard now == moment else { return }
        mayGoOn.wait()
        mayGoOn.signal()
        call.value?.cancel(.stopped)
      }
      call.change { $0 = try? loop.start(get("\(server.base)/x"), recorder) }
      mayGoOn.signal()
      let heard = recorder.wait()
      #expect(heard.error == .interrupted(.stopped))
      #expect(heard.pieces.count == (moment == .began ? 0 : 1))
    }
    loop.close()
  }

  @Test("whenever requests are cancelled, each ends once", arguments: [1, 2, 3] as [UInt64])
  func cancelRace(seed: UInt64) throws {
    let server = StreamServer { request in
      switch request.name {
      case "whole": whole("all at once")
      case "chunks": chunkedHead + chunk("one") + chunk("two") + chunk("")
      case "half": chunkedHead + chunk("one")
      default: nil
      }
    }
    let loop = HTTPLoop()
    var random = SeededGenerator(seed: seed)
    var outcomes: [String: Int] = [:]
    for _ in 0..<40 {
      var started: [(name: String, recorder: Recorder, call: HTTPCall)] = []
      for _ in 0..<20 {
        let name = random.pick(["whole", "chunks", "half", "silence"])
        let recorder = Recorder()
        started.append((name, recorder, try loop.start(get("\(server.base)/\(name)"), recorder)))
        if random.once(in: 4) { usleep(UInt32(random.below(300))) }
      }
      let calls = started.map(\.call)
      let half = random.below(calls.count)
      usleep(UInt32(random.below(1_500)))
      inParallel(2) { thread in
        for call in thread == 0 ? calls[half...] + calls[..<half] : calls[...] { call.cancel(.cancelled) }
      }
      for (name, recorder, _) in started {
        let heard = recorder.wait()
        #expect(heard.disorder.isEmpty)
        if heard.isComplete {
          #expect(name == "whole" || name == "chunks")
          outcomes["complete", default: 0] += 1
        } else {
          #expect(heard.error == .interrupted(.cancelled), "\(name) \(heard)")
          outcomes["cancelled", default: 0] += 1
        }
      }
    }
    #expect(loop.send(get("\(server.base)/whole")).isComplete)
    loop.close()
    #expect(outcomes["complete", default: 0] > 0 && outcomes["cancelled", default: 0] > 0)
    try awaitTrue("closed connections") { server.connections.closed == server.connections.made }
  }

  // MARK: - Out of time, out of bounds

  @Test("the deadline ends a request, wherever it is, and closes its connection")
  func deadline() throws {
    let server = StreamServer { $0.name == "body" ? chunkedHead + chunk("some") : nil }
    let hanging = Listener(backlog: 0)
    hanging.fill()
    let loop = HTTPLoop()
    let recorders = [
      "\(server.base)/body", "\(server.base)/silence", "http://127.0.0.1:\(hanging.port)/connecting",
    ].map { url in
      let recorder = Recorder()
      #expect(throws: Never.self) { try loop.start(get(url), within: 200, recorder) }
      return recorder
    }
    let time = milliseconds { for recorder in recorders { #expect(recorder.wait().error == .timedOut) } }
    #expect(time > 150 && time < 5_000)
    try awaitTrue("closed connections") { server.connections.closed == 2 }
    #expect(throws: HTTPError.timedOut) { try loop.start(get("\(server.base)/x"), within: 0, Recorder()) }
    loop.close()
  }

  @Test("a host that does not finish the handshake is given up after the time for connecting")
  func connectTimeout() {
    let listener = Listener(backlog: 8)
    let loop = HTTPLoop()
    var request = get("https://127.0.0.1:\(listener.port)/v1")
    request.connectTimeoutMilliseconds = 200
    guard case .cannotConnect = loop.send(request).error else {
      Issue.record("not cannotConnect")
      return
    }
    loop.close()
  }

  @Test("an answer beyond the limit is refused, whether it says so first or just goes on; one of the limit is taken")
  func limit() throws {
    let server = StreamServer {
      $0.name == "told"
        ? whole(String(repeating: "x", count: 100))
        : chunkedHead
          + (0..<10).map { _ in
            chunk(String(repeating: "x", count: 10))
          }.joined() + chunk("")
    }
    let loop = HTTPLoop()
    for name in ["told", "untold"] {
      var request = get("\(server.base)/\(name)")
      request.maximumResponseBytes = 100
      let whole = loop.send(request)
      #expect(whole.isComplete && whole.text.utf8.count == 100)
      request.maximumResponseBytes = 99
      let cut = loop.send(request)
      #expect(cut.error == .tooLarge(99))
      #expect(cut.text.utf8.count <= 99)
    }
    loop.close()
  }

  @Test("headers without end are refused")
  func headerLimit() throws {
    let server = StreamServer { _ in
      "HTTP/1.1 200 OK\r\n" + (0..<20_000).map { "X-\($0): " + String(repeating: "y", count: 80) + "\r\n" }.joined()
    }
    let loop = HTTPLoop()
    let heard = loop.send(get("\(server.base)/x"))
    #expect(heard.ends.count == 1 && heard.ends != [nil] && heard.status == nil)
    loop.close()
  }

  // MARK: - Failed

  @Test("an answer that ends too early is broken")
  func broken() throws {
    let server = StreamServer { request in
      switch request.name {
      case "half": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it"
      case "chunk": chunkedHead + chunk("one")
      case "head": "HTTP/1.1 200 OK\r\nX-"
      case "interim": "HTTP/1.1 103 Early Hints\r\n\r\n"
      case "garbage": "220 mail.example ESMTP\r\n"
      default: ""
      }
    }
    let loop = HTTPLoop()
    for name in ["half", "chunk", "head", "interim", "garbage", "nothing"] {
      let recorder = Recorder()
      _ = try loop.start(get("\(server.base)/\(name)"), recorder)
      try awaitTrue("the request") { server.requests.last?.name == name }
      if name == "half" || name == "chunk" { recorder.wait { !$0.pieces.isEmpty } }
      usleep(5_000)
      for request in server.requests.suffix(1) { server.hangUp(request) }
      guard case .broken = recorder.wait().error else {
        Issue.record("\(name): \(recorder.now)")
        continue
      }
    }
    loop.close()
  }

  @Test("what can be said of a request at once is thrown, and nothing is heard of it")
  func thrown() throws {
    let server = StreamServer()
    let loop = HTTPLoop()
    let recorder = Recorder()
    for url in ["", "ftp://127.0.0.1/", "http:///x", "http://127.0.0.1/a b"] {
      let error = #expect(throws: HTTPError.self) { try loop.start(get(url), recorder) }
      guard case .invalidURL = error else {
        Issue.record("\(url): \(String(describing: error))")
        continue
      }
    }
    var request = get("\(server.base)/x")
    request.headers = [HTTPHeader("X-A", "b\r\nX-C: d")]
    #expect(throws: HTTPError.self) { try loop.start(request, recorder) }
    request.headers = []
    request.method = "GET /x"
    #expect(throws: HTTPError.self) { try loop.start(request, recorder) }
    #expect(loop.send(get("\(server.base)/x"), within: 50).error == .timedOut)
    #expect(recorder.now.ends.isEmpty)
    #expect(server.requests.count == 1)
    loop.close()
  }

  @Test("a port where nobody listens cannot be connected")
  func refused() {
    let loop = HTTPLoop()
    guard case .cannotConnect(let text) = loop.send(get("http://127.0.0.1:\(freePort())/v1")).error else {
      Issue.record("not cannotConnect")
      return
    }
    #expect(text.contains("127.0.0.1"))
    loop.close()
  }
}
