import Foundation
import MusterHTTP
import MusterSystem
import TestSupport
import Testing

@Suite("Many requests on one thread")
struct HTTPLoopTests {
  @Test("an answer that comes in pieces arrives in pieces, each when it comes")
  func pieces() throws {
    let server = StreamServer()
    let loop = HTTPLoop()
    let recorder = Recorder()
    let body = Array("what is asked".utf8)
    let request = HTTPRequest(
      method: "POST", url: "\(server.base)/ask", headers: [HTTPHeader("X-Mark", "one")], body: body)
    _ = try loop.start(request, recorder)
    try awaitTrue("the request") { server.requests.count == 1 }
    let asked = try #require(server.requests.first)
    #expect(asked.head.hasPrefix("POST /ask HTTP/1.1\r\n"))
    #expect(asked.head.contains("X-Mark: one"))
    #expect(asked.body == "what is asked")
    #expect(recorder.now.status == nil)
    server.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + chunkedHead, to: asked)
    let begun = recorder.wait { $0.status != nil }
    #expect(begun.status == 200)
    #expect(begun.headers.map(\.name) == ["Content-Type", "Transfer-Encoding"])
    for number in 1...5 {
      server.send(chunk("piece \(number);"), to: asked)
      #expect(recorder.wait { $0.pieces.count >= number }.pieces.count == number)
    }
    #expect(recorder.now.ends.isEmpty)
    server.send("0\r\nX-Trailer: yes\r\n\r\n", to: asked)
    let heard = recorder.wait()
    #expect(heard.isComplete)
    #expect(heard.text == "piece 1;piece 2;piece 3;piece 4;piece 5;")
    loop.close()
  }

  @Test("every status is an answer, with its body, and one without a body, too")
  func statuses() throws {
    let server = StreamServer { request in
      switch request.name {
      case "none": "HTTP/1.1 204 No Content\r\n\r\n"
      case "head": "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
      default: "HTTP/1.1 429 Slow Down\r\nRetry-After: 3\r\nContent-Length: 4\r\n\r\nlate"
      }
    }
    let loop = HTTPLoop()
    let late = loop.send(get("\(server.base)/x"))
    #expect(late.isComplete && late.status == 429 && late.text == "late")
    #expect(late.headers.contains(HTTPHeader("Retry-After", "3")))
    let none = loop.send(get("\(server.base)/none"))
    #expect(none.isComplete && none.status == 204 && none.pieces.isEmpty)
    let head = loop.send(HTTPRequest(method: "HEAD", url: "\(server.base)/head"))
    #expect(head.isComplete && head.status == 200 && head.pieces.isEmpty)
    loop.close()
  }

  @Test("a thousand requests are under way at once on one thread, and each gets its own answer")
  func thousand() async {
    await #expect(processExitsWith: .success) {
      let server = StreamServer()
      let loop = HTTPLoop()
      let recorders = (0..<1_000).map { _ in Recorder() }
      for (number, recorder) in recorders.enumerated() {
        _ = try loop.start(get("\(server.base)/\(number)"), recorder)
      }
      try awaitTrue("all requests") { server.requests.count == 1_000 }
      guard try networkThreads() == 1 else { throw TooLate() }
      let requests = server.requests
      for request in requests { server.send(chunkedHead + chunk("to \(request.name), "), to: request) }
      for recorder in recorders { recorder.wait { !$0.pieces.isEmpty } }
      guard try networkThreads() == 1, recorders.allSatisfy({ $0.now.ends.isEmpty }) else { throw TooLate() }
      for request in requests { server.send(chunk("once more to \(request.name)") + chunk(""), to: request) }
      for (number, recorder) in recorders.enumerated() {
        let heard = recorder.wait()
        guard heard.isComplete, heard.text == "to \(number), once more to \(number)" else { throw TooLate() }
      }
      loop.close()
      guard try networkThreads() == 0 else { throw TooLate() }
    }
  }

  @Test("nothing starts before the first request, and a receiver's end may start the next one")
  func chain() throws {
    let server = StreamServer { whole($0.name) }
    let loop = HTTPLoop()
    let last = Recorder()
    let failures = Shared<[String]>([])
    @Sendable func next(_ number: Int) {
      let recorder = Recorder { recorder, moment in
        guard moment == .ended else { return }
        if recorder.now.text != "\(number)" { failures.change { $0.append(recorder.now.text) } }
        number == 100 ? last.ended(nil) : next(number + 1)
      }
      do {
        _ = try loop.start(get("\(server.base)/\(number)"), recorder)
      } catch {
        failures.change { $0.append("\(error)") }
      }
    }
    next(1)
    last.wait()
    #expect(failures.value.isEmpty)
    #expect(server.requests.count == 100)
    #expect(server.connections.made == 1)
    loop.close()
  }
}
