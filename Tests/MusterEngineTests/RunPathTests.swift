import MusterJSON
import Testing

@testable import MusterEngine

@Suite("A run: these events, these commands")
struct RunPathTests {
  private let ask = [Command.askModel(attempt: 1, repair: nil)]

  @Test("a turn begins by asking the model, and an answer completes it")
  func answers() throws {
    var run = Run()
    #expect(run.apply(.began(try beginning()), sequence: 1) == ask)
    #expect(run.openCommands == ask)
    #expect(run.apply(answer("hi"), sequence: 2) == [.finish(.init(status: .completed))])
    guard case .finished(let finish) = run.phase else {
      Issue.record("it has not finished")
      return
    }
    #expect(finish == .init(status: .completed))
  }

  @Test("an empty answer in a text format completes the turn too", arguments: [Beginning.Format.text, .markdown])
  func emptyAnswer(format: Beginning.Format) throws {
    var life = Life(try beginning(format: format))
    #expect(life.take(answer("")) == [.finish(.init(status: .completed))])
  }

  @Test("a transient failure is waited out and asked again, until the attempts are used up")
  func retries() throws {
    var life = Life(try beginning(attempts: 3))
    #expect(life.take(failure(jitter: 0)) == [.wait(milliseconds: 250)])
    #expect(life.take(.waited) == [.askModel(attempt: 2, repair: nil)])
    #expect(life.take(failure(jitter: 0)) == [.wait(milliseconds: 500)])
    #expect(life.take(.waited) == [.askModel(attempt: 3, repair: nil)])
    #expect(
      life.take(failure()) == [.finish(.init(status: .error, internalStatus: "model_http", result: "it failed"))])
  }

  @Test("after a retry an answer completes the turn")
  func answersAfterRetry() throws {
    var life = Life(try beginning())
    _ = life.take(failure())
    _ = life.take(.waited)
    #expect(life.take(answer("at last")) == [.finish(.init(status: .completed))])
  }

  @Test(
    "a failure that would come again ends the turn in error at once",
    arguments: [
      (ModelFailed.Kind.unreachable, "model_unreachable"), (.timeout, "model_timeout"), (.http, "model_http"),
      (.invalid, "model_invalid"), (.notConfigured, "model_not_configured"), (.forbidden, "model_forbidden"),
    ])
  func permanentFailure(kind: ModelFailed.Kind, word: String) throws {
    var life = Life(try beginning())
    #expect(
      life.take(failure(kind, transient: false)) == [
        .finish(.init(status: .error, internalStatus: word, result: "it failed"))
      ])
  }

  @Test("a refusal is a failed turn, not an error, and is not asked again", arguments: [true, false])
  func refusal(transient: Bool) throws {
    var life = Life(try beginning())
    #expect(
      life.take(failure(.refused, transient: transient)) == [
        .finish(.init(status: .failed, internalStatus: "refused", result: "it failed"))
      ])
  }

  @Test("a limit of no attempts still asks once", arguments: [Int64.min, -1, 0, 1])
  func noAttempts(attempts: Int64) throws {
    var life = Life(try beginning(attempts: attempts))
    #expect(life.run.openCommands == ask)
    _ = life.take(failure())
    #expect(life.finish?.status == .error)
  }

  @Test(
    "a stop ends the turn, while it asks, while it waits and before it began",
    arguments: [
      (StopReason.person, Command.Finish(status: .stopped, isManuallyStopped: true)),
      (.cancelled, .init(status: .stopped, internalStatus: "cancelled", isManuallyStopped: true)),
      (.timeout, .init(status: .stopped, internalStatus: "timeout")),
    ])
  func stops(reason: StopReason, finish: Command.Finish) throws {
    var asking = Life(try beginning())
    #expect(asking.take(.stopRequested(reason)) == [.finish(finish)])
    var waiting = Life(try beginning())
    _ = waiting.take(failure())
    #expect(waiting.take(.stopRequested(reason)) == [.finish(finish)])
    var unborn = Run()
    #expect(unborn.apply(.stopRequested(reason), sequence: 1) == [.finish(finish)])
  }

  @Test("an interruption ends the turn in error, in every state")
  func interrupts() throws {
    var asking = Life(try beginning())
    _ = asking.take(.interrupted)
    var waiting = Life(try beginning())
    _ = waiting.take(failure())
    _ = waiting.take(.interrupted)
    var unborn = Run()
    let commands = unborn.apply(.interrupted, sequence: 1)
    for finish in [asking.finish, waiting.finish] {
      #expect(finish?.status == .error)
      #expect(finish?.internalStatus == "interrupted")
      #expect(finish?.isManuallyStopped == false)
    }
    #expect(asking.finish.map { [Command.finish($0)] } == commands)
  }

  @Test("nothing follows the end, and the end stays as it is")
  func afterTheEnd() throws {
    let ends: [Event] = [answer("x"), failure(.refused), .stopRequested(.person), .interrupted]
    let later: [Event] = ends + [.began(try beginning()), .waited, failure(), .stopRequested(.timeout)]
    for end in ends {
      var life = Life(try beginning())
      let commands = life.take(end)
      let finish = life.finish
      #expect(finish != nil)
      for event in later {
        #expect(life.take(event) == [])
        #expect(life.finish == finish)
        #expect(life.run.openCommands == commands)
      }
    }
  }

  @Test("an event that does not fit causes nothing and leaves the open wish open")
  func unfittingEvents() throws {
    var asking = Life(try beginning())
    #expect(asking.take(.waited) == [])
    #expect(asking.take(.began(try beginning(attempts: 9))) == [])
    #expect(asking.run.openCommands == ask)
    #expect(asking.run.beginning?.attempts == 3)
    var waiting = Life(try beginning())
    let wait = waiting.take(failure())
    #expect(waiting.take(answer("early")) == [])
    #expect(waiting.take(failure()) == [])
    #expect(waiting.run.openCommands == wait)
    #expect(waiting.take(.waited) == [.askModel(attempt: 2, repair: nil)])
    var unborn = Run()
    #expect(unborn.apply(.waited, sequence: 1) == [])
    #expect(unborn.apply(answer("x"), sequence: 1) == [])
    #expect(unborn.apply(failure(), sequence: 1) == [])
  }

  @Test("tokens are summed over the answers of a turn; what no server counted is unknown")
  func tokens() throws {
    var life = Life(try beginning(format: .json))
    #expect(life.run.promptTokens == nil)
    _ = life.take(answer("no json", prompt: 10, completion: 3))
    _ = life.take(answer("{}", prompt: 20, completion: 4))
    #expect(life.run.promptTokens == 30)
    #expect(life.run.completionTokens == 7)
    var uncounted = Life(try beginning())
    _ = uncounted.take(answer("x"))
    #expect(uncounted.run.promptTokens == nil)
    #expect(uncounted.run.completionTokens == nil)
    var half = Life(try beginning(format: .json))
    _ = half.take(answer("no json", prompt: 10, completion: 3))
    _ = half.take(answer("{}"))
    #expect(half.run.promptTokens == 10)
  }

  @Test("counts beyond all measure do not trap")
  func hugeTokens() throws {
    var life = Life(try beginning(format: .json))
    _ = life.take(answer("no json", prompt: .max, completion: .max))
    _ = life.take(answer("{}", prompt: .max, completion: .max))
    #expect(life.finish?.status == .completed)
  }
}
