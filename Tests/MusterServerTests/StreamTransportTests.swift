import Foundation
import MusterAPI
import MusterSystem
import TestSupport
import Testing

@testable import MusterServer

@Suite("Streams over other sockets", .serialized)
struct StreamTransportTests {
  @Test("over a Unix socket: frames, heart-beats and a client that leaves")
  func unixSocket() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)").path
    let bench = try StreamBench {
      $0.listen = .unix(path: path)
      $0.heartbeatMilliseconds = 300
    }
    let client = try bench.client()
    let source = try bench.open("a", on: client)
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
    try client.await(": ping\n\n")
    source.end()
    try client.awaitEnd()
    #expect(client.isWhole && source.closings == [true])

    let leaving = try bench.client()
    let left = try bench.open("b", on: leaving)
    leaving.leave()
    try awaitTrue("it is closed", seconds: 5) { left.closings == [false] }

    let half = try bench.client()
    let halved = try bench.open("c", on: half)
    half.endSending()
    try half.await(": ping\n\n")
    halved.feed("data: y\n\n")
    try half.await("data: y\n\n")
    halved.end()
    try half.awaitEnd()
    #expect(half.isWhole && halved.closings == [true])
  }

  @Test("over TLS: frames, heart-beats, a client that leaves, and stopping")
  func tls() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("muster-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let made = try TLSClient.openssl([
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout",
      "\(folder)/key", "-out", "\(folder)/certificate",
    ])
    made.waitUntilExit()
    try #require(made.terminationStatus == 0)
    let certificate = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/certificate")))
    let key = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/key")))
    let bench = try StreamBench {
      $0.certificate = certificate
      $0.key = key
      $0.heartbeatMilliseconds = 500
    }
    let port = String(bench.server.url.split(separator: ":").last ?? "")

    let client = try TLSClient(port: port, "a")
    let source = try bench.source("a")
    for number in 1...5 {
      source.feed("data: \(number)\n\n")
      try client.await("data: \(number)\n\n")
    }
    let long = "data: " + String(repeating: "z", count: 200_000) + "\n\n"
    source.feed(long)
    try client.await("zz\n\n")
    try client.await(": ping\n\n")
    source.end()
    try client.await("\r\n0\r\n\r\n")
    try awaitTrue("it is closed") { source.closings == [true] }

    let leaving = try TLSClient(port: port, "b")
    let left = try bench.source("b")
    try leaving.await("text/event-stream")
    leaving.leave()
    try awaitTrue("it is closed", seconds: 5) { left.closings == [false] }

    let staying = try TLSClient(port: port, "c")
    let cut = try bench.source("c")
    try staying.await("text/event-stream")
    bench.stop(isAtOnce: true)
    #expect(cut.closings == [false])
  }
}

/// A client that speaks TLS: openssl's.
private final class TLSClient {
  private let process: Process
  private let received = Shared(Data())

  static func openssl(_ arguments: [String], input: Pipe? = nil, output: Pipe? = nil) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.standardInput = input ?? FileHandle.nullDevice
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Asks for a stream.
  init(port: String, _ name: String) throws {
    let input = Pipe()
    let output = Pipe()
    process = try TLSClient.openssl(
      ["s_client", "-quiet", "-connect", "127.0.0.1:\(port)"], input: input, output: output)
    output.fileHandleForReading.readabilityHandler = { [received] handle in
      let data = handle.availableData
      received.change { $0 += data }
      if data.isEmpty { handle.readabilityHandler = nil }
    }
    self.input = input
    try input.fileHandleForWriting.write(contentsOf: Data("GET /v1/streams/\(name) HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
  }

  private let input: Pipe

  deinit { leave() }

  func leave() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  func await(_ text: String) throws {
    try awaitTrue(text) { received.value.range(of: Data(text.utf8)) != nil }
  }
}
