import Foundation
import MusterHTTP
import MusterSystem
import TestSupport

/// A chat-completions request for one of the model server's behaviours.
func ask(_ base: String, _ model: String, headers: [HTTPHeader] = [], maximumResponseBytes: Int = 1 << 20)
  -> HTTPRequest
{
  HTTPRequest(
    method: "POST", url: "\(base)/chat/completions",
    headers: [HTTPHeader("Content-Type", "application/json")] + headers,
    body: Array(#"{"model":"\#(model)","messages":[{"role":"user","content":"hello"}]}"#.utf8),
    maximumResponseBytes: maximumResponseBytes)
}

extension HTTPClient {
  /// With time enough for any test.
  func send(
    _ request: HTTPRequest, within milliseconds: Int64 = 20_000, interrupt: Interrupt = Interrupt(),
    tick: (() -> Bool)? = nil
  ) throws(HTTPError) -> HTTPResponse {
    try perform(request, deadline: .after(milliseconds: milliseconds), interrupt: interrupt, tick: tick)
  }

  /// What goes wrong with a request; nil when nothing does.
  func failure(
    of request: HTTPRequest, within milliseconds: Int64 = 20_000, interrupt: Interrupt = Interrupt(),
    tick: (() -> Bool)? = nil
  ) -> HTTPError? {
    do {
      _ = try send(request, within: milliseconds, interrupt: interrupt, tick: tick)
      return nil
    } catch {
      return error
    }
  }
}

extension HTTPResponse {
  var text: String { String(decoding: body, as: UTF8.self) }
}

/// How long something takes.
func milliseconds(_ body: () throws -> Void) rethrows -> Double {
  let start = Date()
  try body()
  return Date().timeIntervalSince(start) * 1000
}

/// Runs `body` on a thread of its own after a while.
func after(milliseconds: UInt32, _ body: @escaping @Sendable () -> Void) {
  Thread.detachNewThread {
    usleep(milliseconds * 1000)
    body()
  }
}

/// The descriptors of this process that are connected to a port of the loopback interface.
func descriptors(connectedTo port: Int) -> [Int32] {
  (0..<1024).filter { descriptor in
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) }
    }
    return result == 0 && address.sin_family == sa_family_t(AF_INET)
      && Int(in_port_t(bigEndian: address.sin_port)) == port
  }
}

/// A folder that goes with this object.
final class TemporaryFolder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "muster-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
