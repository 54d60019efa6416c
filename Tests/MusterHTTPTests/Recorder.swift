import Foundation
import MusterHTTP
import MusterSystem
import TestSupport

/// Writes down what is heard of one request.
final class Recorder: HTTPReceiver, @unchecked Sendable {
  private let condition = NSCondition()
  private var heard = Heard()
  private let then: @Sendable (Recorder, Moment) -> Void

  struct Heard {
    var status: Int?
    var headers: [HTTPHeader] = []
    var pieces: [String] = []
    /// How it ended, each time that it did.
    var ends: [HTTPError?] = []
    /// What came out of order.
    var disorder: [String] = []

    var text: String { pieces.joined() }
    /// Whether it ended once, without an error.
    var isComplete: Bool { ends == [nil] && disorder.isEmpty }
    /// The error that it ended with, once.
    var error: HTTPError? { ends.count == 1 ? ends[0] : nil }
  }

  enum Moment: Equatable { case began, received, ended }

  /// - Parameter then: called after each thing heard, on the thread that tells it.
  init(_ then: @escaping @Sendable (Recorder, Moment) -> Void = { _, _ in }) { self.then = then }

  func began(status: Int, headers: [HTTPHeader]) {
    change {
      if $0.status != nil || !$0.pieces.isEmpty || !$0.ends.isEmpty { $0.disorder.append("began") }
      $0.status = status
      $0.headers = headers
    }
    then(self, .began)
  }

  func received(_ bytes: [UInt8]) {
    change {
      if $0.status == nil || !$0.ends.isEmpty || bytes.isEmpty { $0.disorder.append("received") }
      $0.pieces.append(String(decoding: bytes, as: UTF8.self))
    }
    then(self, .received)
  }

  func ended(_ error: HTTPError?) {
    change { $0.ends.append(error) }
    then(self, .ended)
  }

  private func change(_ body: (inout Heard) -> Void) {
    condition.lock()
    body(&heard)
    condition.broadcast()
    condition.unlock()
  }

  var now: Heard {
    condition.lock()
    defer { condition.unlock() }
    return heard
  }

  /// What was heard once something is so, which is the end if nothing is said, or after 20 seconds.
  @discardableResult
  func wait(until isSo: (Heard) -> Bool = { !$0.ends.isEmpty }) -> Heard {
    let end = Date().addingTimeInterval(20)
    condition.lock()
    defer { condition.unlock() }
    while !isSo(heard), condition.wait(until: end) {}
    return heard
  }
}

extension HTTPLoop {
  /// With time enough for any test.
  func start(
    _ request: HTTPRequest, within milliseconds: Int64 = 20_000, _ receiver: any HTTPReceiver
  ) throws(HTTPError) -> HTTPCall {
    try start(request, deadline: .after(milliseconds: milliseconds), receiver)
  }

  /// What is heard of a request, from its beginning to its end.
  func send(_ request: HTTPRequest, within milliseconds: Int64 = 20_000) -> Recorder.Heard {
    let recorder = Recorder()
    do throws(HTTPError) {
      _ = try start(request, within: milliseconds, recorder)
      return recorder.wait()
    } catch {
      var heard = Recorder.Heard()
      heard.ends = [error]
      return heard
    }
  }
}

func get(_ url: String, network: NetworkPolicy = .open) -> HTTPRequest {
  HTTPRequest(method: "GET", url: url, network: network)
}

/// The threads of this process with the loop's name.
func networkThreads() throws -> Int {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
    let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
    return name == "muster-network\n"
  }
}
