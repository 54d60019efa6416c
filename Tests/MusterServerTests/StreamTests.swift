import Foundation
import MusterAPI
import MusterSystem
import TestSupport
import Testing

@testable import MusterServer

@Suite("Answers that are made while they are sent", .serialized)
struct StreamTests {
  @Test("arrive piece by piece as their source is woken, and the connection closes after the last")
  func pieces() throws {
    let bench = try StreamBench()
    let client = try bench.client()
    // The head comes before there is anything else.
    let source = try bench.open(on: client)
    let head = client.received.lowercased()
    #expect(head.hasPrefix("http/1.1 200 "))
    for line in [
      "content-type: text/event-stream", "cache-control: no-cache", "transfer-encoding: chunked", "connection: close",
    ] {
      #expect(head.components(separatedBy: "\r\n").filter { $0 == line }.count == 1, "\(line)")
    }
    for number in 1...20 {
      source.feed("data: \(number)\n\n")
      try client.await("data: \(number)\n\n")
    }
    #expect(source.closings.isEmpty)
    source.end()
    try client.awaitEnd()
    #expect(client.isWhole && !client.isReset)
    #expect(client.body == (1...20).map { "data: \($0)\n\n" }.joined())
    try awaitTrue("it is closed") { source.closings == [true] }
  }

  @Test("come behind other answers on the same connection, and end it")
  func keepAlive() throws {
    let bench = try StreamBench()
    let client = try bench.client()
    for count in 1...3 {
      try client.send("GET /v1/plain HTTP/1.1\r\nHost: x\r\n\r\n")
      try awaitTrue("answer \(count)") {
        client.read(seconds: 0.05)
        return client.received.components(separatedBy: "{}").count == count + 1
      }
    }
    try client.send("GET /v1/streams/a HTTP/1.1\r\nHost: x\r\n\r\n")
    let source = try bench.source()
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
    source.end()
    try client.awaitEnd()
    #expect(client.isWhole && source.closings == [true])
  }

  @Test("have no body for HEAD: nothing is taken")
  func head() throws {
    let bench = try StreamBench()
    let client = try bench.client()
    try client.send("HEAD /v1/streams/a HTTP/1.1\r\nHost: x\r\n\r\n")
    try client.awaitEnd()
    #expect(client.received.lowercased().contains("content-type: text/event-stream"))
    #expect(client.received.hasSuffix("\r\n\r\n") && client.body.isEmpty)
    try awaitTrue("it is closed") { bench.unheard("a")?.closings == [false] }
    let source = try #require(bench.unheard("a"))
    #expect(!source.isListenedTo && source.takeCount == 0)
  }

  @Test("end with the connection where a client knows no chunks")
  func oldClient() throws {
    let bench = try StreamBench(make: { FedSource(isGenerous: true) })
    let client = try bench.client()
    try client.send("GET /v1/streams/a HTTP/1.0\r\n\r\n")
    let source = try bench.source()
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
    let long = "data: " + String(repeating: "y", count: 100_000) + "\n\n"
    source.feed(long)
    source.end()
    try client.awaitEnd()
    #expect(!client.received.lowercased().contains("chunked"))
    #expect(client.body == "data: x\n\n" + long)
    #expect(source.closings == [true])
  }

  @Test("lose nothing of pieces of any size, also of a source that gives more than it is asked for")
  func sizes() throws {
    for isGenerous in [false, true] {
      let bench = try StreamBench(make: { FedSource(isGenerous: isGenerous) })
      let client = try bench.client()
      let source = try bench.open(on: client)
      var expected = ""
      for size in [1, 10, 1_000, 16_383, 16_384, 16_385, 300_000] {
        let frame = "data: " + String(repeating: "z", count: size) + "\n\n"
        expected += frame
        source.feed(frame)
      }
      source.end()
      try client.awaitEnd()
      #expect(client.body == expected && client.isWhole)
    }
  }

  @Test("are kept alive by comments while there is nothing, and only then")
  func heartbeats() throws {
    let bench = try StreamBench { $0.heartbeatMilliseconds = 300 }
    let client = try bench.client()
    let source = try bench.open(on: client)
    for _ in 1...20 {
      source.feed("data: x\n\n")
      usleep(50_000)
    }
    client.read(seconds: 0.1)
    #expect(!client.body.contains("ping"))
    try client.await(": ping\n\n")
    let begin = Date()
    try awaitTrue("more of them") {
      client.read(seconds: 0.05)
      return client.body.components(separatedBy: ": ping\n\n").count == 5
    }
    #expect(Date().timeIntervalSince(begin) > 0.6)
    source.feed("data: end\n\n")
    source.end()
    try client.awaitEnd()
    #expect(client.body.hasSuffix(": ping\n\ndata: end\n\n"))
    #expect(source.closings == [true])
  }

  @Test("cost no processor time while nothing happens")
  func idle() throws {
    let bench = try StreamBench()
    let clients = try (0..<50).map { _ in try bench.client() }
    let sources = try clients.enumerated().map { try bench.open("\($0.offset)", on: $0.element) }
    usleep(200_000)
    let takes = sources.map { $0.takeCount }
    let before = sources[0].serverTime
    #expect(before > 0)
    usleep(2_000_000)
    // Two looks at all connections in two seconds.
    #expect(sources[0].serverTime - before < 20_000_000)
    #expect(sources.map { $0.takeCount } == takes)
  }

  @Test("hold no worker: any number of them leaves the workers to others")
  func workers() throws {
    let bench = try StreamBench { $0.workers = 2 }
    let clients = try (0..<20).map { _ in try bench.client() }
    let sources = try clients.enumerated().map { try bench.open("\($0.offset)", on: $0.element) }
    let other = try bench.client()
    try other.send("GET /v1/plain HTTP/1.1\r\nHost: x\r\n\r\n")
    try other.await("{}")
    // A worker lets go of its request a moment after the answer has left.
    try awaitTrue("no worker is busy") {
      let asked = try bench.client()
      try asked.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
      try asked.await("muster_server_start_time_seconds ")
      #expect(asked.received.contains("\nmuster_server_streams 20\n"))
      return asked.received.contains("\nmuster_server_requests_in_flight 0\n")
    }
    for source in sources { source.end() }
    for client in clients { try client.awaitEnd() }
    try awaitTrue("all are closed") { sources.allSatisfy { $0.closings == [true] } }
  }

  @Test("are one line of the log when they have ended, with all bytes that were sent and all the time that it took")
  func log() throws {
    let lines = Shared<[String]>([])
    let log = Log { _, component, text in
      if component.description == "request" { lines.change { $0.append(text) } }
    }
    let bench = try StreamBench(log: log)
    let client = try bench.client()
    let source = try bench.open(on: client)
    source.feed("data: 12345\n\n")
    try client.await("data: 12345\n\n")
    usleep(300_000)
    #expect(lines.value.isEmpty)
    source.end()
    try client.awaitEnd()
    try awaitTrue("the line") { lines.value.count == 1 }
    let line = try #require(lines.value.first)
    #expect(line.contains(#""status":200,"#) && line.contains(#""bytes_out":13,"#))
    let duration = line.components(separatedBy: #""duration_us":"#).last?.prefix { $0.isNumber }
    #expect((duration.flatMap { Int($0) } ?? 0) >= 300_000)
  }
}
