import Foundation
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("Answers that are made, for whoever has no connection")
struct AnswerCollectorTests {
  @Test("are waited for and given whole")
  func whole() throws {
    let source = FedSource()
    let answer = Later { try RESTAnswer.events(source).collected(isWanted: true, maximum: 1_000_000) }
    for number in 1...3 {
      usleep(20_000)
      source.feed("data: \(number)\n\n")
    }
    let long = "data: " + String(repeating: "x", count: 300_000) + "\n\n"
    source.feed(long)
    usleep(20_000)
    #expect(!answer.isDone)
    source.end()
    let collected = try answer.value()
    #expect(collected.text == "data: 1\n\ndata: 2\n\ndata: 3\n\n" + long)
    #expect(collected.source == nil && collected.header("Content-Type") == "text/event-stream")
    #expect(source.closings == [true])
  }

  @Test("are refused when they are longer than may be")
  func tooLong() throws {
    for (size, isGiven) in [(100, true), (101, false)] {
      let source = FedSource()
      source.feed(String(repeating: "x", count: size))
      source.end()
      do {
        let answer = try RESTAnswer.events(source).collected(isWanted: true, maximum: 100)
        #expect(isGiven && answer.body.count == size)
      } catch {
        #expect(!isGiven && error.status == .limit)
      }
      #expect(source.closings == [isGiven])
    }
  }

  @Test("are closed, and nothing is taken, when nobody wants the body")
  func unwanted() throws {
    let source = FedSource()
    let answer = try RESTAnswer.events(source).collected(isWanted: false, maximum: 100)
    #expect(answer.body.isEmpty && answer.source == nil && answer.status == 200)
    #expect(!source.isListenedTo && source.takeCount == 0 && source.closings == [false])
  }

  @Test("other answers stay what they are")
  func others() throws {
    let answer = try RESTAnswer.json(200, Array("{}".utf8)).collected(isWanted: true, maximum: 1)
    #expect(answer.text == "{}")
  }
}
