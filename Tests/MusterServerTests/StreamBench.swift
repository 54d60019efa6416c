import Foundation
import MusterAPI
import MusterSystem
import TestSupport
import Testing

@testable import MusterServer

/// A source that a test feeds.
final class FedSource: AnswerSource, @unchecked Sendable {
  private let lock = NSLock()
  private var wakes: [@Sendable () -> Void] = []
  private var bytes: [UInt8] = []
  private var isEnded = false
  private var outcomes: [Bool] = []
  private var takes = 0
  private var taken = 0
  private var serverClock: clockid_t = 0
  /// Whether it has always more.
  private let isEndless: Bool
  /// Whether it gives more at once than it is asked for.
  private let isGenerous: Bool

  init(isEndless: Bool = false, isGenerous: Bool = false) {
    self.isEndless = isEndless
    self.isGenerous = isGenerous
  }

  func listen(_ wake: @escaping @Sendable () -> Void) {
    lock.withLock {
      wakes.append(wake)
      pthread_getcpuclockid(pthread_self(), &serverClock)
    }
  }

  func take(maximum: Int) -> AnswerPiece {
    lock.withLock {
      takes += 1
      if isEndless {
        taken += maximum
        return .bytes([UInt8](repeating: UInt8(ascii: "x"), count: maximum))
      }
      guard !bytes.isEmpty else { return isEnded ? .end : .nothing }
      let piece = Array(bytes.prefix(isGenerous ? Int.max : maximum))
      bytes.removeFirst(piece.count)
      taken += piece.count
      return .bytes(piece)
    }
  }

  func closed(isComplete: Bool) { lock.withLock { outcomes.append(isComplete) } }

  func feed(_ text: String) {
    lock.withLock { bytes += Array(text.utf8) }
    wake()
  }

  func end() {
    lock.withLock { isEnded = true }
    wake()
  }

  func wake() { for wake in lock.withLock({ wakes }) { wake() } }

  var isListenedTo: Bool { lock.withLock { !wakes.isEmpty } }
  /// What `closed` was called with, each time.
  var closings: [Bool] { lock.withLock { outcomes } }
  var takeCount: Int { lock.withLock { takes } }
  var takenCount: Int { lock.withLock { taken } }
  /// The processor time of the thread that serves it, in nanoseconds.
  var serverTime: Int64 {
    var time = timespec()
    clock_gettime(lock.withLock { serverClock }, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// A server whose streams a test makes up: `/v1/streams/NAME` has the source of that name.
final class StreamBench: @unchecked Sendable {
  let server: Server
  private let plane: ControlPlane
  private let made: Shared<[String: FedSource]>
  private let isStopped = Shared(false)

  init(
    log: Log = .none, _ change: (inout ServerOptions) -> Void = { _ in },
    make: @escaping @Sendable () -> FedSource = { FedSource() }
  ) throws {
    plane = try ControlPlane(configuration: Array(":memory:".utf8), log: log)
    var options = ServerOptions()
    options.rateLimits = nil
    change(&options)
    let made = Shared<[String: FedSource]>([:])
    server = try Server(plane: plane, options: options) { request, _ in
      let target = String(decoding: request.target, as: UTF8.self)
      guard target.hasPrefix("/v1/streams/") else { return .json(200, Array("{}".utf8)) }
      let source = make()
      made.change { $0[String(target.dropFirst(12))] = source }
      return .events(source)
    }
    self.made = made
  }

  deinit {
    stop()
    plane.close()
  }

  func stop(isAtOnce: Bool = false) {
    guard !isStopped.value else { return }
    isStopped.change { $0 = true }
    server.stop(isAtOnce: isAtOnce)
  }

  func client() throws -> RawClient { try RawClient(server.url) }

  /// Opens a stream, whose head has come then.
  func open(_ name: String = "a", on client: RawClient) throws -> FedSource {
    try client.send("GET /v1/streams/\(name) HTTP/1.1\r\nHost: x\r\n\r\n")
    try client.await("\r\n\r\n")
    return try source(name)
  }

  func source(_ name: String = "a") throws -> FedSource {
    try awaitTrue("the source \(name)") { made.value[name]?.isListenedTo ?? false }
    return try #require(made.value[name])
  }

  /// The source of a request, also when nobody listens to it.
  func unheard(_ name: String) -> FedSource? { made.value[name] }
}

/// A client that does with its socket what it likes.
final class RawClient {
  let descriptor: Int32
  private(set) var received = ""
  /// Whether the other side has ended it, and whether with a reset.
  private(set) var isEnded = false
  private(set) var isReset = false

  init(_ url: String, receiveBuffer: Int32? = nil) throws {
    let isUnix = url.hasPrefix("unix:")
    descriptor = socket(isUnix ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
    }
    let isConnected: Bool
    if isUnix {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: url.dropFirst(5).utf8) }
      isConnected = RawClient.connect(descriptor, &address)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(try #require(UInt16(url.split(separator: ":").last ?? ""))).bigEndian
      address.sin_addr = in_addr(s_addr: in_addr_t(0x7f00_0001).bigEndian)
      isConnected = RawClient.connect(descriptor, &address)
    }
    try #require(isConnected)
  }

  deinit { leave() }

  private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) == 0
      }
    }
  }

  private var isLeft = false

  func leave() {
    guard !isLeft else { return }
    isLeft = true
    close(descriptor)
  }

  /// Leaves with a reset.
  func breakOff() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    leave()
  }

  /// Says that it sends no more.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  func send(_ text: String) throws {
    let bytes = Array(text.utf8)
    try #require(Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
  }

  /// Reads what there is within the time; false when there was nothing.
  @discardableResult
  func read(seconds: Double) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wanted, 1, Int32(seconds * 1000)) > 0 else { return false }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    if count <= 0 {
      isEnded = true
      isReset = count < 0
      return false
    }
    received += String(decoding: bytes[..<count], as: UTF8.self)
    return true
  }

  /// Reads until the text has come.
  func await(_ text: String, seconds: Double = 20) throws {
    let end = Date().addingTimeInterval(seconds)
    while !received.contains(text) {
      guard !isEnded, Date() < end else {
        Issue.record("\(text.debugDescription) did not come; \(received.suffix(300).debugDescription)")
        throw TooLate()
      }
      read(seconds: 0.05)
    }
  }

  /// Reads until the other side ends it.
  func awaitEnd(seconds: Double = 20) throws {
    let end = Date().addingTimeInterval(seconds)
    while !isEnded {
      guard Date() < end else {
        Issue.record("it did not end; \(received.suffix(300).debugDescription)")
        throw TooLate()
      }
      read(seconds: 0.05)
    }
  }

  /// What came behind the head, out of its chunks.
  var body: String {
    guard let gap = received.range(of: "\r\n\r\n") else { return "" }
    var rest = Array(received[gap.upperBound...].utf8)[...]
    guard received[..<gap.lowerBound].lowercased().contains("transfer-encoding: chunked") else {
      return String(decoding: rest, as: UTF8.self)
    }
    var body: [UInt8] = []
    while let line = rest.firstIndex(of: 10),
      let size = Int(String(decoding: rest[rest.startIndex..<line].dropLast(), as: UTF8.self), radix: 16)
    {
      rest = rest[(line + 1)...]
      body += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
    return String(decoding: body, as: UTF8.self)
  }

  /// Whether the last chunk has come.
  var isWhole: Bool { received.hasSuffix("\r\n0\r\n\r\n") }
}
