import Foundation
import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("Which turns run when")
struct OrderTests {
  @Test("turns of one thread run one after another, in the order in which they came")
  func oneThread() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "0!")])
    var runs = [Later { try bench.invoke("0") }]
    try bench.awaitQuestions(1)
    for index in 1..<8 {
      let isComing = DispatchSemaphore(value: 0)
      runs.append(
        Later {
          isComing.signal()
          return try bench.invoke("\(index)")
        })
      isComing.wait()
      Thread.sleep(forTimeInterval: 0.06)
    }
    #expect(bench.model.requests.count == 1)
    gate.open()
    let turns = try runs.map { try $0.value().task.turn }
    #expect(turns == Array(1...8))
    #expect(bench.model.largestCrowd == 1)
    let prompts = (0..<8).map { bench.messages($0).last ?? "" }
    #expect(prompts == (0..<8).map { "user: \($0)" })
  }

  @Test("each of many turns gets its own answer, whatever follows it")
  func ownAnswers() throws {
    let path = try StorePath()
    let bench = try Bench((0..<40).map { .answer("\($0)") }, path: path.path)
    let other = try Bench(path: path.path, model: bench.model, isNew: false)
    let runs = (0..<40).map { index in Later { try (index % 2 == 0 ? bench : other).invoke("p") } }
    let snapshots = try runs.map { try $0.value(seconds: 60) }
    #expect(snapshots.allSatisfy { $0.task.status == .completed })
    #expect(Set(snapshots.compactMap { $0.text }).count == 40)
    #expect(Set(snapshots.map { $0.task.turn }) == Set(1...40))
    #expect(bench.model.largestCrowd == 1)
  }

  @Test("turns of different threads run at the same time")
  func manyThreads() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench((0..<4).map { _ in .wait(gate, "ok") })
    let runs = (0..<4).map { index in Later { try bench.invoke("x", thread: "t\(index)") } }
    try bench.awaitQuestions(4)
    #expect(bench.model.largestCrowd == 4)
    gate.open()
    for run in runs { #expect(try run.value().task.status == .completed) }
  }

  @Test("a turn that waits for another can be cancelled, and its time can run out; the others go on")
  func leaveTheQueue() throws {
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "first")])
    let first = Later { try bench.invoke("1") }
    try bench.awaitQuestions(1)
    let interrupt = Interrupt()
    let second = Later { try bench.invoke("2", interrupt: interrupt) }
    let third = Later { try bench.invoke("3", milliseconds: 100) }
    guard case .timedOut(taskID: nil)? = try third.error() else {
      Issue.record("the time of the third did not run out")
      return
    }
    interrupt.fire(.cancelled)
    guard case .interrupted(.cancelled, nil)? = try second.error() else {
      Issue.record("the second was not cancelled")
      return
    }
    let fourth = Later { try bench.invoke("4") }
    gate.open()
    #expect(try first.value().text == "first")
    #expect(try fourth.value().task.turn == 2)
  }

  @Test("a turn waits for one of the same thread that another plane runs")
  func acrossPlanes() throws {
    let path = try StorePath()
    let gate = ScriptedModel.Gate()
    let bench = try Bench([.wait(gate, "first")], path: path.path)
    let other = try Bench([.answer("second")], path: path.path, isNew: false)
    let first = Later { try bench.invoke("1") }
    try bench.awaitQuestions(1)
    let late = try Later { try other.invoke("no", milliseconds: 120) }.error()
    guard case .timedOut(taskID: nil)? = late else {
      Issue.record("it did not wait")
      return
    }
    let second = Later { try other.invoke("2") }
    gate.open()
    #expect(try first.value().text == "first")
    #expect(try second.value().text == "second")
    #expect(other.messages(0) == ["user: 1", "assistant: first", "user: 2"])
  }
}
