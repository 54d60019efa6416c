import MusterJSON
import TestSupport
import Testing

@testable import MusterEngine

@Suite("Folding a journal")
struct FoldTests {
  private struct Entry {
    let kind: Int64
    let body: JSON
    let commands: JSON
    let sequence: Int64
  }

  /// What can be seen of a run.
  private struct View: Equatable {
    let phase: String
    let open: [Command]
    let tokens: [Int64?]
    let attempts: Int64?

    init(_ run: Run) {
      switch run.phase {
      case .unborn: phase = "unborn"
      case .asking(let attempt): phase = "asking \(attempt)"
      case .waiting(let attempt): phase = "waiting \(attempt)"
      case .calling(let calls):
        phase = "calling \(calls.sequence) \(calls.requests.map { $0.name }) \(calls.commands) \(calls.id(0))"
      case .finished(let finish): phase = "finished \(finish)"
      }
      open = run.openCommands
      tokens = [run.promptTokens, run.completionTokens]
      attempts = run.beginning?.attempts
    }
  }

  private func fold(_ entries: ArraySlice<Entry>) throws -> Run {
    var run = Run()
    for entry in entries {
      run.replay(
        try Event(kind: entry.kind, body: entry.body), commands: try Command.commands(entry.commands),
        sequence: entry.sequence)
    }
    return run
  }

  @Test("any prefix of a recorded journal folds to the state that was lived through", arguments: 0..<40)
  func prefixes(seed: UInt64) throws {
    var source = EventSource(generator: SeededGenerator(seed: seed))
    for _ in 0..<25 {
      var run = Run()
      var entries: [Entry] = []
      var views = [View(run)]
      for index in 0..<(2 + source.generator.below(12)) {
        let event =
          index == 0 && source.generator.below(8) > 0 ? .began(try source.someBeginning()) : try source.event()
        let commands = run.apply(event, sequence: Int64(index) + 1)
        entries.append(
          Entry(kind: event.kind, body: event.body, commands: Command.json(commands), sequence: Int64(index) + 1))
        views.append(View(run))
      }
      for length in 0...entries.count {
        let folded = try fold(entries.prefix(length))
        #expect(View(folded) == views[length])
      }
    }
  }

  @Test("a run that is folded goes on as the one that was lived through", arguments: 0..<40)
  func goesOn(seed: UInt64) throws {
    var source = EventSource(generator: SeededGenerator(seed: seed &+ 1_000))
    for _ in 0..<25 {
      var run = Run()
      var entries: [Entry] = []
      for index in 0..<source.generator.below(8) {
        let event = index == 0 ? .began(try source.someBeginning()) : try source.event()
        let commands = run.apply(event, sequence: Int64(index) + 1)
        entries.append(
          Entry(kind: event.kind, body: event.body, commands: Command.json(commands), sequence: Int64(index) + 1))
      }
      var folded = try fold(entries[...])
      for index in 0..<6 {
        let event = try source.event()
        #expect(folded.apply(event, sequence: Int64(100 + index)) == run.apply(event, sequence: Int64(100 + index)))
        #expect(View(folded) == View(run))
      }
    }
  }

  @Test("what a run does next is what is on record, also where this version would have decided otherwise")
  func recordsDecide() throws {
    var finished = Run()
    finished.replay(.began(try beginning(format: .json)), commands: [.askModel(attempt: 1, repair: nil)], sequence: 1)
    finished.replay(answer("no json"), commands: [.finish(.init(status: .completed))], sequence: 1)
    #expect(View(finished).phase.hasPrefix("finished"))
    #expect(finished.apply(answer("x"), sequence: 3) == [])

    let repair = Command.Repair(sequence: 2, prompt: "shorter")
    var asking = Run()
    asking.replay(.began(try beginning()), commands: [.askModel(attempt: 1, repair: nil)], sequence: 1)
    asking.replay(
      answer("a text that completes a turn here"), commands: [.askModel(attempt: 1, repair: repair)], sequence: 1)
    #expect(View(asking).phase == "asking 1")
    #expect(asking.openCommands == [.askModel(attempt: 1, repair: repair)])
    #expect(asking.apply(failure(jitter: 0), sequence: 3) == [.wait(milliseconds: 250)])
    #expect(asking.apply(.waited, sequence: 4) == [.askModel(attempt: 2, repair: repair)])
  }

  @Test("records behind the end of a journal change nothing")
  func behindTheEnd() throws {
    var run = Run()
    run.replay(.began(try beginning()), commands: [.askModel(attempt: 1, repair: nil)], sequence: 1)
    run.replay(answer("x", prompt: 1, completion: 1), commands: [.finish(.init(status: .completed))], sequence: 1)
    let view = View(run)
    run.replay(answer("y", prompt: 5, completion: 5), commands: [.askModel(attempt: 1, repair: nil)], sequence: 1)
    #expect(View(run) == view)
  }
}
