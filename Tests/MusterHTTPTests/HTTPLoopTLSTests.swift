import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

/// Each of these runs in a process of its own, since it changes the environment.
@Suite("A loop over TLS")
struct HTTPLoopTLSTests {
  @Test("a trusted server is asked over one connection, and at once over several; an untrusted one gets nothing")
  func trust() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      guard case .untrusted = HTTPLoop().send(ask(server.base, "fixed")).error else { exit(1) }
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let loop = HTTPLoop()
      for _ in 0..<5 { try must(loop.send(ask(server.base, "huge:100000")).isComplete) }
      let observed = loop.send(get("https://127.0.0.1:\(server.port)/observed"))
      try must(observed.text.contains(#""connections":1"#) && observed.text.contains(#""requests":5"#))
      let recorders = (0..<50).map { _ in Recorder() }
      for (number, recorder) in recorders.enumerated() {
        _ = try loop.start(ask(server.base, "reply:to \(number)"), recorder)
      }
      for (number, recorder) in recorders.enumerated() {
        try must(recorder.wait().isComplete && recorder.now.text.contains(#""to \#(number)""#))
      }
      loop.close()
    }
  }

  @Test("a connection that the host closes is replaced unseen, and no SIGPIPE reaches the process")
  func closed() async {
    await #expect(processExitsWith: .success) {
      clearEnvironment()
      signal(SIGPIPE, SIG_DFL)
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      let loop = HTTPLoop()
      for _ in 0..<20 {
        try must(loop.send(ask(server.base, "stale")).isComplete)
        try must(loop.send(ask(server.base, "once")).isComplete)
      }
      loop.close()
    }
  }

  @Test("the process can end while answers are under way, and they end with it", arguments: 1...3)
  func exits(number: Int) async {
    await #expect(processExitsWith: .exitCode(7)) { [number] in
      clearEnvironment()
      let certificates = try Certificates()
      let server = try ModelServer(certificates.arguments(host: "127.0.0.1"))
      setenv("SSL_CERT_FILE", certificates.authority, 1)
      // Registered before the loop's own, so that it runs after that.
      atexit { if endedByExit.value != 30 { _exit(8) } }
      let loop = HTTPLoop()
      for _ in 0..<30 {
        let recorder = Recorder { recorder, moment in
          if moment == .ended, recorder.now.error == .interrupted(.closing) { endedByExit.change { $0 += 1 } }
        }
        _ = try loop.start(ask(server.base, "drip:5"), recorder)
      }
      usleep(UInt32(number) * 60_000)
      exit(7)
    }
  }
}

/// How many requests ended because their process did.
private let endedByExit = Shared(0)
