import Foundation
import TestSupport

/// An HTTP server on the loopback interface that takes requests on one thread, however many, and answers nothing by
/// itself: what is sent on which connection, and when, is up to the test.
final class StreamServer: @unchecked Sendable {
  struct Request: Sendable {
    let connection: Int32
    /// Request line and headers.
    let head: String
    let body: String
    /// The last part of the request line's path.
    var name: String {
      let path = head.split(separator: " ").dropFirst().first ?? ""
      return String(path.split(separator: "/").last ?? "")
    }
  }

  let port: Int
  private let listener: Int32
  private let lock = NSLock()
  private var received: [Request] = []
  private var pending: [Int32: Data] = [:]
  private var accepted = 0
  private var closed = 0
  private var isStopped = false
  private let answer: (@Sendable (Request) -> String?)?

  /// - Parameter answer: what is sent at once when a request has come, if anything.
  init(_ answer: (@Sendable (Request) -> String?)? = nil) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, size)
        _ = getsockname(descriptor, $0, &size)
      }
    }
    listen(descriptor, 4096)
    listener = descriptor
    port = Int(in_port_t(bigEndian: address.sin_port))
    self.answer = answer
    Thread.detachNewThread { [weak self, descriptor] in
      while let self, !self.lock.withLock({ self.isStopped }) { self.turn() }
      close(descriptor)
    }
  }

  deinit { stop() }

  /// Closes every connection, and takes no more.
  func stop() {
    lock.withLock {
      isStopped = true
      for descriptor in pending.keys { close(descriptor) }
      pending = [:]
    }
  }

  var base: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { lock.withLock { received } }
  /// How many connections were made, and how many the other side has closed.
  var connections: (made: Int, closed: Int) { lock.withLock { (accepted, closed) } }

  func send(_ text: String, to request: Request) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(request.connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  func hangUp(_ request: Request) { shutdown(request.connection, Int32(SHUT_RDWR)) }

  private func turn() {
    var watched = lock.withLock {
      ([listener] + pending.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    }
    guard poll(&watched, nfds_t(watched.count), 20) > 0 else { return }
    for one in watched where one.revents != 0 { one.fd == listener ? take() : read(one.fd) }
  }

  private func take() {
    let descriptor = accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    lock.withLock {
      accepted += 1
      pending[descriptor] = Data()
    }
  }

  private func read(_ descriptor: Int32) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    let found = lock.withLock { () -> [Request] in
      guard !isStopped else { return [] }
      guard count > 0 else {
        closed += 1
        pending[descriptor] = nil
        close(descriptor)
        return []
      }
      pending[descriptor, default: Data()].append(contentsOf: buffer[..<count])
      guard let request = next(descriptor) else { return [] }
      received.append(request)
      return [request]
    }
    for request in found { if let text = answer?(request) { send(text, to: request) } }
  }

  private func next(_ descriptor: Int32) -> Request? {
    guard let data = pending[descriptor], let gap = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
    let head = String(decoding: data[..<gap.lowerBound], as: UTF8.self)
    let length = head.split(separator: "\r\n").compactMap { line -> Int? in
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.first?.lowercased() == "content-length", let value = parts.last else { return nil }
      return Int(value.trimmingCharacters(in: .whitespaces))
    }.first
    let rest = Data(data[gap.upperBound...])
    guard rest.count >= length ?? 0 else { return nil }
    pending[descriptor] = Data(rest.dropFirst(length ?? 0))
    return Request(
      connection: descriptor, head: head, body: String(decoding: rest.prefix(length ?? 0), as: UTF8.self))
  }
}

/// The head of an answer whose body comes in chunks.
let chunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

/// One chunk of a body; an empty one is its end.
func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n" }

/// A whole answer.
func whole(_ text: String) -> String { "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)" }
