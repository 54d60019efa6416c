import Foundation
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import Testing

@testable import MusterRuns

@Suite("Runs that no caller waits for")
struct FlightTests {
  @Test("a run gives its events in the documented order, and its pieces make up the result")
  func order() throws {
    let bench = try Bench([.answer("one two three", prompt: 5, completion: 3, hasUsage: true)])
    let ear = try bench.launch("hi")
    let reader = Reader(try #require(ear.follower))
    #expect(reader.read())
    #expect(reader.kinds.first == "created 1")
    #expect(reader.kinds.dropFirst().first == "updated 1.1.0")
    #expect(reader.kinds.last == "finished 2")
    #expect(reader.kinds.dropFirst(2).dropLast().allSatisfy { $0 == "chunk 1" })
    #expect(reader.text == "one two three")
    #expect(reader.finished?.task.status == .completed)
    #expect(reader.finished?.result?.string == "one two three")
    #expect(reader.finished?.task.completionTokens == 3)
    bench.close()
    #expect(ear.ends.count == 1)
  }

  @Test("a task is pending when it is accepted, and executing when it runs")
  func statuses() throws {
    let bench = try Bench([.answer("x")])
    let reader = Reader(try #require(try bench.launch("hi").follower))
    #expect(reader.read())
    let statuses = reader.events.compactMap { event -> TaskStatus? in
      switch event.content {
      case .created(let snapshot), .updated(let snapshot), .finished(let snapshot): return snapshot.task.status
      case .chunk, .toolAsked, .agentTriggered, .toolReturned: return nil
      }
    }
    #expect(statuses == [.pending, .executing, .completed])
    bench.close()
  }

  @Test("pieces come while the model still answers, also to a follower that came late")
  func pieces() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let reader = Reader(try #require(try bench.launch("hi").follower))
    let call = try #require(model.next())
    call.say("Hél")
    #expect(reader.read(most: 3))
    #expect(reader.text == "Hél")
    let late = bench.follow()
    #expect(late.read(most: 3))
    #expect(late.text == "Hél")
    #expect(late.events.last?.position == EventPosition(sequence: 1, attempt: 1, offset: 4))
    call.say("lo")
    call.say(", you")
    #expect(reader.read(most: 4))
    call.end()
    #expect(reader.read())
    #expect(late.read())
    #expect(reader.text == "Héllo, you")
    #expect(late.text == "Héllo, you")
    #expect(late.finished?.result?.string == "Héllo, you")
    bench.close()
  }

  @Test("a failed attempt withdraws its text; its records are events without a gap")
  func retry() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let reader = Reader(try #require(try bench.launch("hi").follower))
    let first = try #require(model.next())
    first.say("lost ")
    #expect(reader.read(most: 3))
    first.end(
      .failed(
        ModelFailure(kind: .unreachable, message: "broke", isTransient: true, retryAfterMilliseconds: 1)))
    let second = try #require(model.next())
    second.say("kept")
    second.end()
    #expect(reader.read())
    #expect(
      reader.kinds == [
        "created 1", "updated 1.1.0", "chunk 1", "updated 2", "updated 3", "chunk 3", "finished 4",
      ])
    #expect(reader.events.map { $0.position.attempt } == [nil, 1, 1, nil, nil, 2, nil])
    #expect(reader.finished?.result?.string == "kept")
    bench.close()
  }

  @Test("who comes back gets what comes behind the event that it names: from the journal, whatever the place")
  func comingBack() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let ear = try bench.launch("hi", isFollowed: false)
    let first = try #require(model.next())
    first.end(.failed(.transient(afterMilliseconds: 1)))
    let second = try #require(model.next())
    second.say("Wörld")
    second.end()
    #expect(ear.end() != nil)
    let whole = bench.follow()
    #expect(whole.read())
    #expect(whole.kinds == ["created 1", "updated 1.1.0", "updated 2", "updated 3", "chunk 3", "finished 4"])
    #expect(whole.text == "Wörld")
    for (index, event) in whole.events.enumerated().dropLast() {
      let rest = bench.follow(after: event.position)
      #expect(rest.read())
      #expect(rest.kinds == Array(whole.kinds[(index + 1)...]))
    }
    // In the text, also inside of a character; and behind the end, whose event comes all the same.
    let tail = bench.follow(after: EventPosition(sequence: 3, attempt: 2, offset: 2))
    #expect(tail.read())
    #expect(tail.text == "rld")
    for sequence: Int64 in [4, 5, 1 << 40] {
      let behind = bench.follow(after: EventPosition(sequence: sequence))
      #expect(behind.read())
      #expect(behind.kinds == ["finished 4"])
    }
    bench.close()
  }

  @Test("a cancelled run ends stopped with the text so far, and its connection is closed at once")
  func cancel() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let interrupt = Interrupt()
    let ear = try bench.launch("hi", interrupt: interrupt)
    let reader = Reader(try #require(ear.follower))
    let call = try #require(model.next())
    call.say("so far")
    #expect(reader.read(most: 3))
    interrupt.fire(.cancelled)
    #expect(reader.read())
    #expect(call.cancelled != nil)
    let task = try #require(reader.finished)
    #expect(task.task.status == .stopped)
    #expect(task.task.isManuallyStopped)
    #expect(task.task.internalStatus == "cancelled")
    #expect(task.result?.string == "so far")
    guard case .finished(_, .interrupted(.cancelled, _)?)? = reader.end else {
      Issue.record("the submitter was not told that it was cancelled")
      return
    }
    #expect(try bench.driver.snapshot("t1", in: bench.organization)?.result?.string == "so far")
    let later = bench.follow()
    #expect(later.read())
    #expect(later.finished?.result?.string == "so far")
    bench.close()
  }

  @Test("a person who stops the task stops the run, and the text so far is kept")
  func stop() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let ear = try bench.launch("hi")
    let reader = Reader(try #require(ear.follower))
    let call = try #require(model.next())
    call.say("half of it")
    #expect(reader.read(most: 3))
    let stopped = try #require(try bench.driver.stop("t1", in: bench.organization))
    #expect(stopped.task.status == .stopped)
    #expect(stopped.result?.string == "half of it")
    #expect(reader.read())
    #expect(call.cancelled != nil)
    #expect(reader.finished?.task.status == .stopped)
    #expect(reader.finished?.task.isManuallyStopped == true)
    #expect(ear.end() != nil)
    bench.close()
  }

  @Test("a run whose time is over ends stopped by a time-out, while it asks and while it waits for another attempt")
  func timeout() throws {
    for isWaiting in [false, true] {
      let bench = try Bench([isWaiting ? .fail(.transient(afterMilliseconds: 20_000)) : .hang])
      let ear = try bench.launch("hi", milliseconds: 100)
      let reader = Reader(try #require(ear.follower))
      #expect(reader.read())
      #expect(reader.finished?.task.status == .stopped)
      #expect(reader.finished?.task.internalStatus == "timeout")
      #expect(reader.finished?.task.isManuallyStopped == false)
      guard case .finished(_, .timedOut?)? = reader.end else {
        Issue.record("the submitter was not told that the time is over")
        return
      }
      bench.close()
    }
  }

  @Test("turns of one thread run one after another, whoever waits for them")
  func enqueue() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let first = try bench.launch("one")
    let second = try bench.launch("two")
    let readers = [Reader(try #require(first.follower)), Reader(try #require(second.follower))]
    let call = try #require(model.next())
    usleep(20_000)
    #expect(second.turns.isEmpty)
    call.say("a")
    call.end()
    let next = try #require(model.next())
    next.say("b")
    next.end()
    for reader in readers { #expect(reader.read()) }
    #expect(readers[0].finished?.result?.string == "a")
    #expect(readers[1].finished?.result?.string == "b")
    #expect(readers[1].kinds.first == "created 3")
    let whole = bench.follow()
    #expect(whole.read())
    #expect(
      whole.kinds == [
        "created 1", "updated 1.1.0", "chunk 1", "finished 2", "created 3", "updated 3.1.0", "chunk 3", "finished 4",
      ])
    bench.close()
  }

  @Test("a busy thread is refused to who asks for that, and its turn is replaced for who asks for that")
  func busyRules() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let first = try bench.launch("one")
    _ = try #require(model.next())
    let waiting = try bench.launch("two")
    let refused = try bench.launch("three", onBusy: .reject)
    guard case .failed(.busy)? = refused.end() else {
      Issue.record("not refused")
      return
    }
    let last = try bench.launch("four", onBusy: .replace)
    let reader = Reader(try #require(first.follower))
    #expect(reader.read())
    #expect(reader.finished?.task.status == .stopped)
    guard case .failed(.interrupted(.stopped, _))? = waiting.end() else {
      Issue.record("the waiting turn was not dropped")
      return
    }
    let call = try #require(model.next())
    call.say("d")
    call.end()
    guard case .task(let snapshot, nil)? = last.end() else {
      Issue.record("the replacing turn has no task")
      return
    }
    #expect(snapshot.result?.string == "d")
    #expect(snapshot.task.turn == 2)
    bench.close()
  }

  @Test("closing ends every run, begun or not, each exactly once")
  func close() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let ears = [try bench.launch("one"), try bench.launch("two"), try bench.launch("x", thread: "t2")]
    _ = try #require(model.next())
    _ = try #require(model.next())
    bench.close()
    for ear in ears { #expect(ear.ends.count == 1) }
    let task = try #require(try bench.driver.snapshot("t2", in: bench.organization))
    // What has begun is put aside, for whoever goes on with it.
    #expect(task.task.status == .pending)
    #expect(task.task.owner == nil)
    #expect(throws: RunError.self) { _ = try bench.launch("late") }
  }

  @Test("a task that is deleted ends its run and its followers, and is not there")
  func delete() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let ear = try bench.launch("hi")
    let reader = Reader(try #require(ear.follower))
    let call = try #require(model.next())
    _ = try bench.store.deleteTask("t1", in: bench.organization, durable: false)
    bench.driver.interruptDeleted("t1", in: bench.organization)
    #expect(reader.read())
    guard case .failed(.deleted)? = reader.end else {
      Issue.record("the follower was not told")
      return
    }
    guard case .failed(.deleted)? = ear.end() else {
      Issue.record("the submitter was not told")
      return
    }
    #expect(call.cancelled != nil)
    bench.close()
  }

  @Test("a run that the plane has no room for is refused, and one that has ended makes room")
  func limit() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model, flights: 2)
    let ears = [try bench.launch("a", thread: "1"), try bench.launch("b", thread: "2")]
    #expect(throws: RunError.self) { _ = try bench.launch("c", thread: "3") }
    try #require(model.next()).end()
    try #require(model.next()).end()
    for ear in ears { #expect(ear.end() != nil) }
    let limit = Deadline.after(milliseconds: 5_000)
    while bench.driver.flights.count > 0, !limit.hasPassed { usleep(1_000) }
    let again = try bench.launch("c", thread: "3")
    try #require(model.next()).end()
    #expect(again.end() != nil)
    bench.close()
  }
}
