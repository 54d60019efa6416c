import Foundation
import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("How runs are ended from outside")
struct EndingTests {
  @Test("a stop from another thread wakes the run at once and gives the stopped task to both")
  func stop() throws {
    // It looks for itself only after a minute: nothing but the interrupt ends it in time.
    let bench = try Bench([.hang], tickMilliseconds: 60_000)
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    let start = ContinuousClock.now
    let stopped = try #require(try bench.driver.stop("t1", in: bench.organization))
    let snapshot = try run.value()
    #expect(ContinuousClock.now - start < .seconds(2))
    for task in [stopped.task, snapshot.task] {
      #expect(task.status == .stopped)
      #expect(task.isManuallyStopped)
      #expect(task.internalStatus == nil)
      #expect(task.finishedAt != nil)
    }
    #expect(snapshot.text == nil)
  }

  @Test("a task that has ended is given unchanged by a stop; an unknown one is none")
  func stopEnded() throws {
    let bench = try Bench()
    let before = try bench.invoke("x").task
    let after = try #require(try bench.driver.stop("t1", in: bench.organization)?.task)
    #expect(after.status == .completed)
    #expect(after.sequence == before.sequence)
    #expect(after.updatedAt == before.updatedAt)
    #expect(try bench.driver.stop("nothing", in: bench.organization) == nil)
  }

  @Test(
    "a model that is given up a moment before the run's time is over was out of the run's time",
    arguments: [false, true])
  func almostTimedOut(isFlight: Bool) throws {
    let bench = try Bench([.fail(ModelFailure(kind: .timedOut, message: "no answer in time"))])
    if isFlight {
      let ear = try bench.launch("x", milliseconds: 19)
      _ = ear.end()
    } else {
      #expect(throws: RunError.self) { try bench.invoke("x", milliseconds: 19) }
    }
    let task = try #require(try bench.task())
    #expect(task.status == .stopped)
    #expect(task.internalStatus == "timeout")
  }

  @Test("a model that does not answer in its own time is an error of the model")
  func modelTimedOut() throws {
    let bench = try Bench([.fail(ModelFailure(kind: .timedOut, message: "no answer in time"))])
    #expect(try bench.invoke("x").task.internalStatus == "model_timeout")
  }

  @Test("a stop by another plane on the same file ends the run")
  func stopElsewhere() throws {
    let path = try StorePath()
    let bench = try Bench([.hang], path: path.path)
    let other = try Bench(path: path.path, isNew: false)
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    #expect(try other.driver.stop("t1", in: bench.organization)?.task.status == .stopped)
    #expect(try run.value().task.status == .stopped)
  }

  @Test("who loses a turn is told how that turn ended, also when the next one has ended by then")
  func stopElsewhereAndGoOn() throws {
    let path = try StorePath()
    // It looks only now and then whether the task is still its own.
    let bench = try Bench([.hang], path: path.path, tickMilliseconds: 1_000)
    let other = try Bench([.answer("another")], path: path.path, isNew: false)
    let run = Later { try bench.invoke("go") }
    try bench.awaitQuestions(1)
    #expect(try other.driver.stop("t1", in: bench.organization)?.task.status == .stopped)
    #expect(try other.invoke("again").text == "another")
    let lost = try run.value()
    #expect(lost.task.status == .stopped)
    #expect(lost.text == nil)
    #expect(try lost.beginning().request["input"]?["text"]?.string == "go")
  }

  @Test("the sleep before a retry ends with a stop, also one of another plane", arguments: [true, false])
  func stopWhileWaiting(elsewhere: Bool) throws {
    let path = try StorePath()
    let bench = try Bench([.fail(.transient(afterMilliseconds: 30_000))], path: path.path)
    let other = try Bench(path: path.path, isNew: false)
    let run = Later { try bench.invoke("x", milliseconds: -1) }
    try bench.awaitQuestions(1)
    try awaitTrue("the failure is on record") { try (bench.task()?.sequence ?? 0) >= 2 }
    _ = try (elsewhere ? other : bench).driver.stop("t1", in: bench.organization)
    #expect(try run.value(seconds: 10).task.status == .stopped)
    #expect(bench.model.requests.count == 1)
  }

  @Test("a transient failure is asked again after its wait, and the answer counts")
  func retries() throws {
    let bench = try Bench([.fail(.transient()), .fail(.transient()), .answer("at last")])
    let snapshot = try bench.invoke("x")
    #expect(snapshot.text == "at last")
    #expect(bench.model.requests.count == 3)
  }

  @Test("a call that is cancelled before it begins leaves no task")
  func cancelledBefore() throws {
    let bench = try Bench()
    let interrupt = Interrupt()
    interrupt.fire(.cancelled)
    let error = try Later { try bench.invoke("x", interrupt: interrupt) }.error()
    guard case .interrupted(.cancelled, nil)? = error else {
      Issue.record("ended with \(String(describing: error))")
      return
    }
    #expect(try bench.task() == nil)
    #expect(bench.model.requests.isEmpty)
  }

  @Test("a cancelled call names its task, which ends as stopped by a person")
  func cancelledDuring() throws {
    let bench = try Bench([.hang], tickMilliseconds: 60_000)
    let interrupt = Interrupt()
    let run = Later { try bench.invoke("x", interrupt: interrupt) }
    try bench.awaitQuestions(1)
    interrupt.fire(.cancelled)
    guard case .interrupted(.cancelled, "t1"?)? = try run.error() else {
      Issue.record("not cancelled")
      return
    }
    let task = try #require(try bench.task())
    #expect(task.status == .stopped && task.isManuallyStopped && task.internalStatus == "cancelled")
  }

  @Test("a plane that closes interrupts its runs: they end in error, and say why")
  func closing() throws {
    let bench = try Bench([.hang])
    let interrupt = Interrupt()
    let run = Later { try bench.invoke("x", interrupt: interrupt) }
    try bench.awaitQuestions(1)
    interrupt.fire(.closing)
    guard case .interrupted(.closing, "t1"?)? = try run.error() else {
      Issue.record("not closed")
      return
    }
    let task = try #require(try bench.task())
    #expect(task.status == .error && task.internalStatus == "interrupted" && !task.isManuallyStopped)
  }

  @Test(
    "a call whose time runs out stops its task and names it",
    arguments: [ScriptedModel.Step.hang, .fail(.transient(afterMilliseconds: 30_000))])
  func timeout(step: ScriptedModel.Step) throws {
    let bench = try Bench([step])
    let error = try Later { try bench.invoke("x", milliseconds: 150) }.error()
    guard case .timedOut(taskID: "t1"?)? = error else {
      Issue.record("ended with \(String(describing: error))")
      return
    }
    let task = try #require(try bench.task())
    #expect(task.status == .stopped && !task.isManuallyStopped && task.internalStatus == "timeout")
  }

  @Test("a task that is deleted while it runs ends its run, and stays away", arguments: [true, false])
  func deleted(elsewhere: Bool) throws {
    let path = try StorePath()
    let bench = try Bench([.hang], path: path.path)
    let other = try Bench(path: path.path, isNew: false)
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    _ = try bench.store.deleteTask("t1", in: bench.organization, durable: false)
    (elsewhere ? other : bench).driver.interruptDeleted("t1", in: bench.organization)
    guard case .deleted? = try run.error() else {
      Issue.record("not deleted")
      return
    }
    #expect(try bench.task() == nil)
  }

  @Test("a run whose task is still its own is not interrupted by a late stop or delete of an earlier turn")
  func lateInterrupts() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "done")])
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    bench.driver.interruptDeleted("t1", in: bench.organization)
    bench.driver.interruptRuns(ofAgent: Bench.agentID)
    gate.open()
    #expect(try run.value().task.status == .completed)
    let hanging = try Bench([.hang])
    let second = Later { try hanging.invoke("x", milliseconds: 300) }
    try hanging.awaitQuestions(1)
    hanging.driver.interruptDeleted("t1", in: hanging.organization)
    guard case .timedOut? = try second.error() else {
      Issue.record("the run was interrupted")
      return
    }
  }

  @Test("an interrupted run that still owns its task ends it: no task stays behind as executing")
  func ownedTask() throws {
    let bench = try Bench([.hang])
    let interrupt = Interrupt()
    let run = Later { try bench.invoke("x", interrupt: interrupt) }
    try bench.awaitQuestions(1)
    interrupt.fire(.stopped)
    #expect(try run.value().task.status == .stopped)
    #expect(try bench.task()?.owner == nil)
  }

  @Test("turns that wait while their agent is deleted do not run, and leave no task")
  func agentDeleted() throws {
    let bench = try Bench([.hang])
    let first = Later { try bench.invoke("one") }
    try bench.awaitQuestions(1)
    let second = Later { try bench.invoke("two") }
    Thread.sleep(forTimeInterval: 0.1)
    #expect(try bench.store.deleteAgent(Bench.agentID, in: bench.organization, durable: false))
    bench.driver.interruptRuns(ofAgent: Bench.agentID)
    guard case .deleted? = try first.error(), case .agentDeleted? = try second.error() else {
      Issue.record("the turns ended in another way")
      return
    }
    #expect(try bench.task() == nil)
    #expect(bench.model.requests.count == 1)
  }

  @Test("the answer of a run that was stopped meanwhile is dropped")
  func answerTooLate() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "too late")])
    let run = Later { try bench.invoke("x") }
    try bench.awaitQuestions(1)
    _ = try bench.driver.stop("t1", in: bench.organization)
    gate.open()
    let snapshot = try run.value()
    #expect(snapshot.task.status == .stopped)
    #expect(snapshot.text == nil)
    let task = try #require(try bench.task())
    #expect(try bench.store.messages(of: task, fromTurn: 1).count == 1)
  }
}
