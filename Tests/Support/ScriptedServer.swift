package import Foundation

/// A small HTTP server on the loopback interface whose answers a test makes up. Each connection has a thread of its own
/// and is kept until either side closes it.
package final class ScriptedServer: @unchecked Sendable {
  package struct Request: Sendable {
    package let method: String
    package let target: String
    /// Names in lower case.
    package let headers: [(name: String, value: String)]
    package let body: Data

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
    package var text: String { String(decoding: body, as: UTF8.self) }
  }

  package enum Answer: Sendable {
    case status(Int, headers: [(String, String)] = [], body: Data = Data())
    /// Bytes as they are; then the connection is closed.
    case raw(String)
    /// Closes the connection without a word.
    case close
    /// Says nothing until the other side closes the connection.
    case silence

    package static func json(_ status: Int, _ text: String) -> Answer {
      .status(status, headers: [("Content-Type", "application/json")], body: Data(text.utf8))
    }
  }

  package let port: Int
  private let descriptor: Int32
  private let answer: @Sendable (Request) -> Answer
  private let lock = NSLock()
  private var received: [Request] = []
  private var connectionCount = 0
  private var closedCount = 0
  private var isStopped = false

  package init(_ answer: @escaping @Sendable (Request) -> Answer) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: 0)
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, size)
        _ = getsockname(descriptor, $0, &size)
      }
    }
    listen(descriptor, 64)
    self.descriptor = descriptor
    self.answer = answer
    port = Int(in_port_t(bigEndian: address.sin_port))
    // The thread holds the server until the listening socket is shut down.
    Thread.detachNewThread { [descriptor] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else {
          close(descriptor)
          return
        }
        Thread.detachNewThread { [weak self] in
          self?.serve(connection)
          close(connection)
        }
      }
    }
  }

  deinit { stop() }

  /// Takes no more connections. Only once: afterwards the number may be that of somebody else's descriptor.
  package func stop() {
    let isFirst = lock.withLock { () -> Bool in
      defer { isStopped = true }
      return !isStopped
    }
    if isFirst { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  package var base: String { "http://127.0.0.1:\(port)" }
  /// The requests so far.
  package var requests: [Request] { lock.withLock { received } }
  package var connections: Int { lock.withLock { connectionCount } }

  /// Waits until the other sides have closed so many connections.
  package func closed(_ count: Int, within seconds: Double = 5) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if lock.withLock({ closedCount >= count }) { return true }
      usleep(2_000)
    }
    return false
  }

  private func serve(_ connection: Int32) {
    lock.withLock { connectionCount += 1 }
    defer { lock.withLock { closedCount += 1 } }
    var pending = Data()
    while let request = read(connection, &pending) {
      lock.withLock { received.append(request) }
      switch answer(request) {
      case .close: return
      case .raw(let text): return write(connection, Data(text.utf8))
      case .silence:
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
        return
      case .status(let status, let headers, let body):
        var head = "HTTP/1.1 \(status) X\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if status != 204 { head += "Content-Length: \(body.count)\r\n" }
        write(connection, Data((head + "\r\n").utf8) + (request.method == "HEAD" ? Data() : body))
      }
    }
  }

  private func write(_ connection: Int32, _ data: Data) {
    var rest = Array(data)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private func read(_ connection: Int32, _ pending: inout Data) -> Request? {
    while true {
      if let gap = pending.range(of: Data("\r\n\r\n".utf8)) {
        var lines = String(decoding: pending[..<gap.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines.removeFirst().split(separator: " ").map(String.init)
        guard first.count == 3 else { return nil }
        let headers = lines.compactMap { line -> (name: String, value: String)? in
          guard let colon = line.firstIndex(of: ":") else { return nil }
          return (
            line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
          )
        }
        let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
        if pending[gap.upperBound...].count >= length {
          let end = pending.index(gap.upperBound, offsetBy: length)
          let body = Data(pending[gap.upperBound..<end])
          pending = Data(pending[end...])
          return Request(method: first[0], target: first[1], headers: headers, body: body)
        }
      }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      pending.append(contentsOf: buffer[..<count])
    }
  }
}
