import Foundation
import MusterAPI
import MusterSystem
import TestSupport
import Testing

@testable import MusterServer

@Suite("Streams whose client or server ends them", .serialized)
struct StreamEndTests {
  @Test("a client that closes its connection is noticed long before the next heart-beat", arguments: [false, true])
  func gone(withReset: Bool) throws {
    let bench = try StreamBench { $0.heartbeatMilliseconds = 60_000 }
    let client = try bench.client()
    let source = try bench.open(on: client)
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
    if withReset { client.breakOff() } else { client.leave() }
    try awaitTrue("it is closed", seconds: 5) { source.closings == [false] }
    // Nobody is left behind.
    source.feed("data: y\n\n")
    source.end()
    usleep(50_000)
    #expect(source.closings == [false])
  }

  @Test("a client that ends its side at once, or later, is sent the rest all the same", arguments: [true, false])
  func halfClosed(isAtOnce: Bool) throws {
    let bench = try StreamBench { $0.heartbeatMilliseconds = 60_000 }
    let client = try bench.client()
    try client.send("GET /v1/streams/a HTTP/1.1\r\nHost: x\r\n\r\n")
    if isAtOnce { client.endSending() }
    let source = try bench.source()
    source.feed("data: 1\n\n")
    try client.await("data: 1\n\n")
    client.endSending()
    // Whether it is still there is asked at once.
    try client.await(": ping\n\n", seconds: 5)
    for number in 2...5 {
      source.feed("data: \(number)\n\n")
      try client.await("data: \(number)\n\n")
      usleep(20_000)
    }
    #expect(source.closings.isEmpty)
    source.end()
    try client.awaitEnd()
    #expect(client.isWhole && !client.isReset)
    #expect(source.closings == [true])
    // It is asked when its side ends, and not again and again.
    #expect(client.body.components(separatedBy: ": ping").count <= 3)
  }

  @Test("a client that reads nothing costs a bounded number of bytes, and is closed when it has read nothing for long")
  func stuck() throws {
    let bench = try StreamBench({ $0.idleMilliseconds = 1_000 }, make: { FedSource(isEndless: true) })
    let client = try RawClient(bench.server.url, receiveBuffer: 4_096)
    try client.send("GET /v1/streams/a HTTP/1.1\r\nHost: x\r\n\r\n")
    let source = try bench.source()
    usleep(400_000)
    let taken = source.takenCount
    // What the kernel and MHD hold.
    #expect(taken < 200_000)
    usleep(200_000)
    #expect(source.takenCount == taken)
    let before = source.serverTime
    try awaitTrue("it is closed", seconds: 10) { source.closings == [false] }
    #expect(source.serverTime - before < 100_000_000)
  }

  @Test("a client that reads slowly is served for as long as it reads")
  func slow() throws {
    let bench = try StreamBench({ $0.idleMilliseconds = 1_000 }, make: { FedSource(isEndless: true) })
    let client = try RawClient(bench.server.url, receiveBuffer: 4_096)
    try client.send("GET /v1/streams/a HTTP/1.1\r\nHost: x\r\n\r\n")
    let source = try bench.source()
    let end = Date().addingTimeInterval(4)
    while Date() < end {
      client.read(seconds: 0.1)
      usleep(50_000)
    }
    #expect(source.closings.isEmpty && !client.isEnded)
  }

  @Test("a quiet stream outlives the time after which idle connections are closed")
  func quiet() throws {
    let bench = try StreamBench {
      $0.idleMilliseconds = 1_000
      $0.headerMilliseconds = 100
    }
    let client = try bench.client()
    let source = try bench.open(on: client)
    client.read(seconds: 4)
    #expect(source.closings.isEmpty && !client.isEnded)
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
  }

  @Test("stopping lets streams end that do so in time, and takes no others")
  func gracefulStop() throws {
    let bench = try StreamBench { $0.stopMilliseconds = 20_000 }
    let client = try bench.client()
    let source = try bench.open(on: client)
    let stop = Later { bench.stop() }
    usleep(300_000)
    #expect(!stop.isDone && source.closings.isEmpty)
    source.feed("data: x\n\n")
    try client.await("data: x\n\n")
    source.end()
    try client.awaitEnd()
    #expect(client.isWhole)
    try stop.value(seconds: 10)
    #expect(source.closings == [true])
  }

  @Test("stopping cuts streams that do not end in time, those at once that nobody waits for", arguments: [false, true])
  func impatientStop(isAtOnce: Bool) throws {
    let bench = try StreamBench { $0.stopMilliseconds = isAtOnce ? 60_000 : 300 }
    let clients = try (0..<50).map { _ in try bench.client() }
    let sources = try clients.enumerated().map { try bench.open("\($0.offset)", on: $0.element) }
    let begin = Date()
    bench.stop(isAtOnce: isAtOnce)
    let taken = Date().timeIntervalSince(begin)
    // Not before its time.
    #expect(taken < 5 && (isAtOnce || taken >= 0.3))
    #expect(sources.allSatisfy { $0.closings == [false] })
    for client in clients {
      try client.awaitEnd()
      #expect(!client.isWhole)
    }
  }

  @Test("stopping at once waits for no client that does not read")
  func stopWithStuckClients() throws {
    let bench = try StreamBench({ $0.stopMilliseconds = 60_000 }, make: { FedSource(isEndless: true) })
    let clients = try (0..<5).map { _ in try RawClient(bench.server.url, receiveBuffer: 4_096) }
    for (number, client) in clients.enumerated() {
      try client.send("GET /v1/streams/\(number) HTTP/1.1\r\nHost: x\r\n\r\n")
    }
    let sources = try (0..<5).map { try bench.source("\($0)") }
    usleep(300_000)
    let begin = Date()
    bench.stop(isAtOnce: true)
    #expect(Date().timeIntervalSince(begin) < 5)
    #expect(sources.allSatisfy { $0.closings == [false] })
  }

  @Test("waking does nothing once a stream, or its server, has ended")
  func lateWake() throws {
    let bench = try StreamBench()
    var sources: [FedSource] = []
    for number in 0..<20 {
      let client = try bench.client()
      let source = try bench.open("\(number)", on: client)
      if number % 2 == 0 { source.end() } else { client.leave() }
      try awaitTrue("it is closed") { source.closings.count == 1 }
      sources.append(source)
    }
    let takes = sources.map { $0.takeCount }
    let before = sources[0].serverTime
    for _ in 1...10_000 { for source in sources { source.wake() } }
    #expect(sources[0].serverTime - before < 50_000_000)
    bench.stop()
    for source in sources { source.wake() }
    #expect(sources.map { $0.takeCount } == takes)
    #expect(sources.allSatisfy { $0.closings.count == 1 })
  }

  @Test("threads may wake while streams and server end under them")
  func wakeStorm() throws {
    for round in 1...5 {
      let bench = try StreamBench()
      let clients = try (0..<20).map { _ in try bench.client() }
      let sources = try clients.enumerated().map { try bench.open("\($0.offset)", on: $0.element) }
      let isOver = Shared(false)
      let storm = Later {
        inParallel(8) { _ in
          while !isOver.value { for source in sources { source.wake() } }
        }
      }
      for (number, source) in sources.enumerated() {
        source.feed("data: \(number)\n\n")
        try clients[number].await("data: \(number)\n\n")
        switch number % 3 {
        case 0: source.end()
        case 1: clients[number].leave()
        default: break
        }
      }
      if round % 2 == 0 { usleep(50_000) }
      bench.stop(isAtOnce: true)
      #expect(sources.allSatisfy { $0.closings.count == 1 })
      usleep(10_000)
      isOver.change { $0 = true }
      try storm.value()
    }
  }

  @Test("500 streams that are fed by many threads each get their own frames, whole and in order")
  func many() throws {
    let bench = try StreamBench { $0.workers = 8 }
    let count = 500
    let clients = try (0..<count).map { _ in try bench.client() }
    // No more requests at once than there are workers.
    let sources = try clients.enumerated().map { try bench.open("\($0.offset)", on: $0.element) }
    inParallel(8) { thread in
      for frame in 1...10 {
        for number in stride(from: thread, to: count, by: 8) { sources[number].feed("data: \(number)-\(frame)\n\n") }
      }
      for number in stride(from: thread, to: count, by: 8) { sources[number].end() }
    }
    for (number, client) in clients.enumerated() {
      try client.awaitEnd()
      #expect(client.body == (1...10).map { "data: \(number)-\($0)\n\n" }.joined())
      #expect(client.isWhole)
    }
    try awaitTrue("all are closed") { sources.allSatisfy { $0.closings == [true] } }
  }
}
