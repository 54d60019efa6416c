import MusterJSON
import Testing

@testable import MusterEngine

@Suite("Answers that have to be JSON")
struct JSONAnswerTests {
  private let schema = #"{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}"#

  @Test("valid JSON completes the turn, and the answer is the result as it stands")
  func valid() throws {
    var life = Life(try beginning(format: .json, schema: schema))
    #expect(life.take(answer(#"{"a": 1, "b": [ ]}"#)) == [.finish(.init(status: .completed))])
  }

  @Test("without a schema any JSON will do", arguments: ["{}", "[1]", "true", "3", "null", #""text""#])
  func anyJSON(content: String) throws {
    var life = Life(try beginning(format: .json))
    #expect(life.take(answer(content)) == [.finish(.init(status: .completed))])
  }

  @Test(
    "JSON in a Markdown fence or between blanks is taken out of it",
    arguments: [
      ("```json\n{\"a\":1}\n```", #"{"a":1}"#), ("```\n{\"a\":1}\n```", #"{"a":1}"#),
      ("\n ```JSON\r\n{\"a\":1}\r\n``` \n", #"{"a":1}"#), ("```{\"a\":1}```", #"{"a":1}"#),
      ("```json {\"a\":1}```", #"{"a":1}"#), ("```json{\"a\":1}```", #"{"a":1}"#),
      ("```{\n\"a\":1\n}```", "{\n\"a\":1\n}"), ("  {\"a\":1}\n", #"{"a":1}"#),
      ("```javascript\n{\"a\": 1}\n```", #"{"a": 1}"#),
    ])
  func fenced(content: String, inner: String) throws {
    var life = Life(try beginning(format: .json, schema: schema))
    #expect(life.take(answer(content)) == [.finish(.init(status: .completed, result: inner))])
  }

  @Test("a literal in a fence on one line is no name of a language", arguments: ["true", "null", "12"])
  func fencedLiteral(literal: String) throws {
    var life = Life(try beginning(format: .json))
    #expect(life.take(answer("```\(literal)\n```")) == [.finish(.init(status: .completed, result: literal))])
  }

  @Test(
    "fences that hold no JSON are not acceptable",
    arguments: ["```", "``````", "`````", "```json```", "```json\n```", "```\n\n```", ""])
  func emptyFences(content: String) throws {
    var life = Life(try beginning(format: .json, repairs: 0))
    _ = life.take(answer(content))
    #expect(life.finish?.internalStatus == "output_schema")
  }

  @Test("an answer that is no JSON goes back once, with what is wrong; a right one then completes the turn")
  func repaired() throws {
    var life = Life(try beginning(format: .json, schema: schema))
    let commands = life.take(answer("Sure! Here it is."))
    guard case .askModel(attempt: 1, let repair?) = commands.first, commands.count == 1 else {
      Issue.record("the answer does not go back: \(commands)")
      return
    }
    #expect(repair.sequence == 2)
    #expect(repair.prompt.hasPrefix("The answer is not valid JSON: "))
    #expect(life.take(answer(#"{"a":2}"#)) == [.finish(.init(status: .completed))])
  }

  @Test("a second answer that is not right fails the turn, and says why")
  func repairedInVain() throws {
    var life = Life(try beginning(format: .json, schema: schema))
    _ = life.take(answer("no"))
    _ = life.take(answer(#"{"a":"x"}"#))
    #expect(life.finish?.status == .failed)
    #expect(life.finish?.internalStatus == "output_schema")
    #expect(life.finish?.result?.contains("/a") == true)
  }

  @Test("a violation of the schema names its place")
  func violation() throws {
    var life = Life(try beginning(format: .json, schema: schema))
    guard case .askModel(_, let repair?) = life.take(answer(#"{"a":"one"}"#)).first else {
      Issue.record("the answer does not go back")
      return
    }
    #expect(repair.prompt.hasPrefix("The answer does not match the output schema at /a: "))
  }

  @Test("a repair keeps its text through retries, and its attempts count anew")
  func repairThroughRetries() throws {
    var life = Life(try beginning(format: .json, attempts: 2))
    _ = life.take(failure())
    _ = life.take(.waited)
    guard case .askModel(attempt: 1, let repair?) = life.take(answer("no")).first else {
      Issue.record("the answer does not go back")
      return
    }
    #expect(life.take(failure(jitter: 0)) == [.wait(milliseconds: 250)])
    #expect(life.take(.waited) == [.askModel(attempt: 2, repair: repair)])
    _ = life.take(failure())
    #expect(life.finish?.status == .error)
  }

  @Test("the number of repairs is the one that the turn began with", arguments: [Int64(0), 1, 4])
  func repairs(limit: Int64) throws {
    var life = Life(try beginning(format: .json, repairs: limit))
    for _ in 0..<limit {
      _ = life.take(answer("no"))
      #expect(life.finish == nil)
    }
    _ = life.take(answer("no"))
    #expect(life.finish?.status == .failed)
  }

  @Test("an answer nested too deep is not acceptable and does not trap")
  func deep() throws {
    var life = Life(try beginning(format: .json, repairs: 0))
    _ = life.take(answer(String(repeating: "[", count: 100_000)))
    #expect(life.finish?.status == .failed)
  }

  @Test("a schema that cannot be checked accepts nothing")
  func uncheckableSchema() throws {
    var life = Life(try beginning(format: .json, schema: #"{"pattern":"x"}"#, repairs: 0))
    _ = life.take(answer("{}"))
    #expect(life.finish?.status == .failed)
    #expect(life.finish?.result?.hasPrefix("The output schema cannot be checked") == true)
  }
}
