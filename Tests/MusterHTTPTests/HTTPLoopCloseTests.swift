import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("The end of a loop")
struct HTTPLoopCloseTests {
  @Test("closing ends what is under way or has yet to begin, and its thread; later requests are refused")
  func closing() async {
    await #expect(processExitsWith: .success) {
      let server = StreamServer { _ in chunkedHead + chunk("some") }
      let loop = HTTPLoop()
      guard loop.send(get("\(server.base)/x"), within: 50).error == .timedOut else { exit(1) }
      let refusals = Shared(0)
      let recorders = (0..<300).map { number in
        Recorder { recorder, moment in
          guard moment == .ended else { return }
          do throws(HTTPError) {
            _ = try loop.start(get("\(server.base)/again"), Recorder())
          } catch {
            if error == .interrupted(.closing) { refusals.change { $0 += 1 } }
          }
        }
      }
      for recorder in recorders { _ = try loop.start(get("\(server.base)/x"), recorder) }
      recorders[20].wait { !$0.pieces.isEmpty }
      loop.close()
      for recorder in recorders {
        guard recorder.now.error == .interrupted(.closing), recorder.now.disorder.isEmpty else { exit(2) }
      }
      guard try networkThreads() == 0, descriptors(connectedTo: server.port).isEmpty else { exit(3) }
      guard refusals.value == 300 else { exit(4) }
      loop.close()
      guard loop.send(get("\(server.base)/x")).error == .interrupted(.closing) else { exit(5) }
    }
  }

  @Test("a loop that nobody used, or that goes away with its requests done, leaves nothing")
  func released() async {
    await #expect(processExitsWith: .success) {
      let server = StreamServer { _ in whole("x") }
      HTTPLoop().close()
      do {
        let loop = HTTPLoop()
        guard try networkThreads() == 0, loop.send(get("\(server.base)/x")).isComplete else { exit(1) }
        guard descriptors(connectedTo: server.port).count == 1 else { exit(2) }
      }
      guard try networkThreads() == 0, descriptors(connectedTo: server.port).isEmpty else { exit(3) }
      // Let go by the last one who held it: its own thread.
      let held = Shared<HTTPLoop?>(HTTPLoop())
      let recorder = Recorder { _, moment in if moment == .ended { held.change { $0 = nil } } }
      let mayAnswer = StreamServer()
      _ = try held.value?.start(get("\(mayAnswer.base)/x"), recorder)
      try awaitTrue("the request") { mayAnswer.requests.count == 1 }
      mayAnswer.send(whole("x"), to: mayAnswer.requests[0])
      guard recorder.wait().isComplete else { exit(4) }
      try awaitTrue("the thread's end") { try networkThreads() == 0 }
    }
  }
}
