import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("Connections")
struct HTTPConnectionTests {
  @Test("requests one after the other use one connection")
  func reuse() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    for _ in 0..<20 { #expect(try client.send(ask(server.base, "fixed")).status == 200) }
    let seen = try server.observed()
    #expect(seen.requests == 20)
    #expect(seen.connections == 1)
  }

  @Test("64 threads at once each get their own answer, over at most 64 connections")
  func manyThreads() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    let right = Shared(0)
    inParallel(64) { thread in
      for turn in 0..<8 {
        let response = try? client.send(ask(server.base, "reply:\(thread)-\(turn)"))
        if response?.text.contains(#""content":"\#(thread)-\#(turn)""#) ?? false { right.change { $0 += 1 } }
      }
    }
    #expect(right.value == 64 * 8)
    let seen = try server.observed()
    #expect(seen.requests == 64 * 8)
    #expect(seen.connections <= 64)
  }

  @Test("a kept connection that the host has closed while it was idle is replaced unseen")
  func idleClosed() throws {
    let server = try ModelServer(["--idle-ms", "50"])
    let client = HTTPClient()
    for _ in 0..<3 {
      #expect(try client.send(ask(server.base, "fixed")).status == 200)
      usleep(150_000)
    }
    let seen = try server.observed()
    #expect(seen.requests == 3)
    #expect(seen.connections == 3)
  }

  @Test("a kept connection that the host closes just then is replaced unseen")
  func closedAfterAnswer() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    for _ in 0..<50 { #expect(try client.send(ask(server.base, "stale")).status == 200) }
    #expect(try server.observed().requests == 50)
  }

  @Test("a request that a kept connection took but did not answer is sent again, over a new one")
  func closedOnRequest() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    for _ in 0..<5 {
      let response = try client.send(ask(server.base, "once"))
      #expect(response.text.contains("the first of its connection"))
    }
    #expect(try server.observed().connections == 5)
  }

  @Test("a request that a new connection did not answer is not sent again")
  func noRepeat() throws {
    let server = try ModelServer()
    #expect(throws: HTTPError.self) { try HTTPClient().send(ask(server.base, "hangup")) }
    #expect(try server.observed().requests == 1)
  }

  @Test("after close nothing is kept, and requests still work")
  func closing() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    _ = try client.send(ask(server.base, "fixed"))
    #expect(descriptors(connectedTo: server.port).count == 1)
    client.close()
    #expect(descriptors(connectedTo: server.port).isEmpty)
    for _ in 0..<3 { #expect(try client.send(ask(server.base, "fixed")).status == 200) }
    #expect(descriptors(connectedTo: server.port).isEmpty)
    #expect(try server.observed().connections == 4)
    client.close()
  }

  @Test("a client that goes away closes its connections")
  func released() throws {
    let server = try ModelServer()
    do {
      let client = HTTPClient()
      _ = try client.send(ask(server.base, "fixed"))
      #expect(descriptors(connectedTo: server.port).count == 1)
    }
    #expect(descriptors(connectedTo: server.port).isEmpty)
  }

  @Test("connections are not inherited by programs that the host starts")
  func closeOnExec() throws {
    let server = try ModelServer()
    let client = HTTPClient()
    _ = try client.send(ask(server.base, "fixed"))
    let sockets = descriptors(connectedTo: server.port)
    #expect(sockets.count == 1)
    for socket in sockets { #expect(fcntl(socket, F_GETFD) & FD_CLOEXEC != 0) }
    client.close()
  }

  @Test("the caller's signal mask is as it was")
  func signalMask() throws {
    func mask() -> [UInt8] {
      var set = sigset_t()
      pthread_sigmask(SIG_SETMASK, nil, &set)
      return withUnsafeBytes(of: &set) { Array($0) }
    }
    let server = try ModelServer()
    let before = mask()
    _ = try HTTPClient().send(ask(server.base, "fixed"))
    #expect(mask() == before)
  }
}
