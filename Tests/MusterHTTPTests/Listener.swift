import Foundation
import TestSupport

/// A port that takes connections into its queue and never says a word.
final class Listener {
  let port: Int
  private let descriptor: Int32
  private var fillers: [Int32] = []

  /// - Parameter backlog: how many connections are taken.
  init(backlog: Int32) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, size)
        _ = getsockname(descriptor, $0, &size)
      }
    }
    listen(descriptor, backlog)
    self.descriptor = descriptor
    port = Int(in_port_t(bigEndian: address.sin_port))
  }

  /// Makes connections until the queue is full: whoever connects next hangs in the middle of it.
  func fill() {
    for _ in 0..<4 {
      let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
      connectToLoopback(filler, port: port)
      fillers.append(filler)
    }
    usleep(20_000)
  }

  deinit {
    for filler in fillers { close(filler) }
    close(descriptor)
  }
}

/// A port on which nobody listens.
func freePort() -> Int { Listener(backlog: 0).port }
