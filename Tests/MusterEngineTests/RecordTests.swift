import MusterJSON
import TestSupport
import Testing

@testable import MusterEngine

@Suite("Events and commands as records")
struct RecordTests {
  @Test("every event comes back from its JSON as it was")
  func eventsRoundTrip() throws {
    var source = EventSource(generator: SeededGenerator(seed: 1))
    for _ in 0..<2_000 {
      let event = try source.event()
      let body = try JSON.parse(Array(event.body.bytes))
      #expect(body.hasSameBytes(event.body), "the body is not in normal form: \(text(event.body) ?? "")")
      let read = try Event(kind: event.kind, body: body)
      #expect(read.kind == event.kind)
      #expect(read.body.hasSameBytes(event.body))
    }
  }

  @Test("kinds of events have their permanent numbers")
  func kinds() throws {
    let events: [Event] = [
      .began(try beginning()), answer("x"), failure(), .waited, .stopRequested(.person), .interrupted,
    ]
    #expect(events.map(\.kind) == [1, 2, 3, 4, 5, 6])
  }

  @Test("the texts of an answer and of a system message keep their bytes, escapes included")
  func texts() throws {
    let body = try json(#"{"text":"caf\u00e9 \/ \ud83d\ude00","finish_reason":null,"model":null}"#)
    let event = try Event(kind: 2, body: body)
    #expect(text(event.body) == #"{"text":"caf\u00e9 \/ \ud83d\ude00","finish_reason":null,"model":null}"#)
    let began = Event.began(try beginning(system: .text(try json(#""\u00e9""#))))
    #expect(text(try Event(kind: 1, body: began.body).body["system"]) == #""\u00e9""#)
    #expect(text(began.body["request"]) == #"{"input":{"text":"caf\u00e9"}}"#)
  }

  @Test("every command comes back from its JSON as it was")
  func commandsRoundTrip() throws {
    let repair = Command.Repair(sequence: 7, prompt: "again: \"x\"\n\u{1f600}")
    let commands: [Command] = [
      .askModel(attempt: 1, repair: nil), .askModel(attempt: 3, repair: repair), .wait(milliseconds: 0),
      .wait(milliseconds: .max), .finish(.init(status: .completed)),
      .finish(.init(status: .failed, internalStatus: "output_schema", result: "")),
      .finish(.init(status: .error, internalStatus: "interrupted", result: "x\ny")),
      .finish(.init(status: .stopped, isManuallyStopped: true)),
    ]
    for command in commands { #expect(try Command.commands(Command.json([command])) == [command]) }
    #expect(try Command.commands(Command.json(commands)) == commands)
    #expect(try Command.commands(Command.json([])) == [])
  }

  @Test("a kind of event that this version does not know is an error", arguments: [Int64.min, -1, 0, 11, .max])
  func unknownKind(kind: Int64) throws {
    let body = try json("{}")
    #expect(throws: UnreadableRecord.self) { try Event(kind: kind, body: body) }
  }

  @Test(
    "a turn of another engine version is an error", arguments: ["0", "3", "-1", "9223372036854775807", "\"1\"", "null"])
  func otherEngine(version: String) throws {
    let body = Event.began(try beginning()).body.setting([("engine", try json(version))])
    #expect(throws: UnreadableRecord(what: "turn of another engine version")) { try Event(kind: 1, body: body) }
  }

  @Test(
    "a record that lacks what it needs, or has it in another form, is an error",
    arguments: [
      (Int64(1), "{}"), (1, #"{"engine":1}"#), (1, "[]"), (2, "{}"), (2, #"{"text":5}"#), (2, #"{"text":null}"#),
      (2, "null"),
      (3, "{}"), (3, #"{"kind":"strange","message":"m"}"#), (3, #"{"kind":"http"}"#), (5, "{}"),
      (5, #"{"reason":"boredom"}"#), (5, #"{"reason":1}"#),
    ])
  func damaged(kind: Int64, body: String) throws {
    let body = try json(body)
    #expect(throws: UnreadableRecord.self) { try Event(kind: kind, body: body) }
  }

  @Test("a system message that is no text is an error")
  func systemOfAnotherType() throws {
    let body = Event.began(try beginning(system: .text(.string("x")))).body.setting([("system", try json("[1]"))])
    #expect(throws: UnreadableRecord.self) { try Event(kind: 1, body: body) }
  }

  @Test(
    "commands that this version does not know are an error",
    arguments: [
      "{}", "null", "5", "[5]", "[{}]", #"[{"dance":{}}]"#, #"[{"ask_model":{}}]"#,
      #"[{"ask_model":{"attempt":1,"repair":{}}}]"#,
      #"[{"wait":{"milliseconds":"1"}}]"#, #"[{"wait":{"milliseconds":1.5}}]"#, #"[{"finish":{"status":"gone"}}]"#,
    ])
  func unknownCommands(commands: String) throws {
    let commands = try json(commands)
    #expect(throws: UnreadableRecord.self) { try Command.commands(commands) }
  }

  @Test("bodies with anything in any place are read or refused, and whatever is read can be lived through")
  func mutations() throws {
    var source = EventSource(generator: SeededGenerator(seed: 3))
    var refused = 0
    for _ in 0..<3_000 {
      let event = try source.event()
      let bytes = mutated(Array(event.body.bytes), &source.generator)
      let kind = source.generator.flip() ? event.kind : Int64(source.generator.below(9)) - 1
      guard let body = try? JSON.parse(bytes) else { continue }
      do {
        let read = try Event(kind: kind, body: body)
        var run = Run()
        _ = run.apply(read, sequence: .max)
        _ = run.apply(.began(try beginning(format: .json)), sequence: .max)
        _ = run.apply(read, sequence: .max)
        _ = run.apply(.waited, sequence: .max)
        _ = run.apply(read, sequence: .min)
      } catch {
        refused += 1
      }
      _ = try? Command.commands(body)
    }
    #expect(refused > 100)
  }

  /// The text with a piece of it replaced by another piece of JSON.
  private func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    let pieces = [
      "null", "0", "-1", "9223372036854775807", "-9223372036854775808", "1e308", "\"\"", "[]", "{}", "true",
      "\"\\u00e9\"",
    ]
    var result = bytes
    let digits = result.indices.filter { (0x30...0x39).contains(result[$0]) }
    let colons = result.indices.filter { result[$0] == UInt8(ascii: ":") }
    if generator.flip(), let place = digits.isEmpty ? nil : generator.pick(digits) {
      result.replaceSubrange(place...place, with: generator.pick(pieces).utf8)
    } else if let place = colons.isEmpty ? nil : generator.pick(colons) {
      let end =
        result[(place + 1)...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "}") } ?? result.endIndex
      result.replaceSubrange(place + 1..<end, with: generator.pick(pieces).utf8)
    }
    return result
  }
}
