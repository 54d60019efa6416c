import Foundation
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem
import TestSupport
import Testing

@testable import MusterRuns

@Suite("One end, whatever meets", .serialized)
struct FlightRaceTests {
  /// What is done to a run while it goes on.
  private enum Blow: CaseIterable {
    case cancel, stop, delete, end, fail, breakOff, nothing
  }

  @Test(
    "a submitted run has exactly one end, and so has each follower, whatever meets",
    arguments: [1, 2, 3, 4] as [UInt64])
  func seeded(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      let model = OpenModel()
      let bench = try Bench(streams: model)
      let interrupt = Interrupt()
      let isShort = generator.next() % 4 == 0
      let ear = try bench.launch("hi", milliseconds: isShort ? 3 : 20_000, interrupt: interrupt)
      let readers = [Reader(try #require(ear.follower)), bench.follow(), bench.follow(after: .init(sequence: 1))]
      let blows = (0..<3).map { _ in Blow.allCases[Int(generator.next() % UInt64(Blow.allCases.count))] }
      let pauses = (0..<3).map { _ in UInt32(generator.next() % 300) }
      let call = model.next()
      call?.say("abc")
      let group = DispatchGroup()
      for (blow, pause) in zip(blows, pauses) {
        DispatchQueue.global().async(group: group) {
          usleep(pause)
          switch blow {
          case .cancel: interrupt.fire(.cancelled)
          case .stop: _ = try? bench.driver.stop("t1", in: bench.organization)
          case .delete:
            _ = try? bench.store.deleteTask("t1", in: bench.organization, durable: false)
            bench.driver.interruptDeleted("t1", in: bench.organization)
          case .end: call?.end()
          case .fail: call?.end(.failed(.permanent))
          case .breakOff: call?.end(.failed(.transient(afterMilliseconds: 1)))
          case .nothing: break
          }
        }
      }
      group.wait()
      // Whatever goes on, and would for long, is ended by the end of the plane.
      bench.close()
      #expect(ear.ends.count == 1)
      let isDeleted = blows.contains(.delete)
      for reader in readers {
        #expect(reader.read(seconds: 5), "a follower has no end: \(blows) \(pauses)")
        if !isDeleted { #expect(reader.finished?.task.status.isFinal == true || reader.isClosed) }
        isOrdered(reader)
      }
      #expect(bench.driver.flights.count == 0)
      let left = try bench.driver.snapshot("t1", in: bench.organization)
      // Or it was put aside, for whoever goes on with it.
      #expect(left.map { $0.task.status.isFinal || $0.task.status == .pending } ?? isDeleted)
      #expect(left.map { $0.task.owner == nil } ?? true)
    }
  }

  /// Records without a gap, text in order.
  private func isOrdered(_ reader: Reader) {
    var last = EventPosition.start
    for event in reader.events {
      let position = event.position
      if position.sequence == last.sequence {
        #expect(position.attempt != nil)
        if last.attempt == position.attempt { #expect(position.offset >= last.offset) }
      } else {
        #expect(position.sequence > last.sequence)
        if last.sequence > 0 { #expect(position.sequence == last.sequence + 1) }
      }
      last = position
    }
  }

  @Test("thousands of runs at once: each ends once, completed, with all of its text")
  func crowd() throws {
    let bench = try Bench(path: ":memory:")
    let count = 2_000
    var ears: [Ear] = []
    for index in 0..<count { ears.append(try bench.launch("go", thread: "t\(index)")) }
    var completed = 0
    for ear in ears {
      let reader = Reader(try #require(ear.follower))
      #expect(reader.read(seconds: 60))
      if reader.finished?.task.status == .completed, reader.text == "ok" { completed += 1 }
    }
    #expect(completed == count)
    bench.close()
    #expect(ears.allSatisfy { $0.ends.count == 1 })
  }

  @Test("slow, dying and returning followers disturb no run, and the slow ones miss nothing")
  func followers() throws {
    let model = OpenModel()
    let bench = try Bench(streams: model)
    let ear = try bench.launch("hi")
    let call = try #require(model.next())
    let slow = Reader(try #require(ear.follower))
    let text = (0..<400).map { "piece \($0) " }
    let writing = DispatchGroup()
    DispatchQueue.global().async(group: writing) {
      for piece in text {
        call.say(piece)
        usleep(100)
      }
      call.end()
    }
    var place = EventPosition.start
    var returned = ""
    for round in 0..<200 {
      // Some of them die without a word.
      let follower = bench.driver.follow("t1", in: bench.organization, after: place)
      let reader = Reader(follower)
      reader.read(most: 1 + round % 3, seconds: 0.02)
      returned += reader.text
      place = reader.events.last?.position ?? place
      if round % 2 == 0 { follower.close() }
      if reader.end != nil { break }
    }
    writing.wait()
    #expect(slow.read(seconds: 10, pauseMicroseconds: 500))
    #expect(slow.text == text.joined())
    let rest = bench.follow(after: place)
    #expect(rest.read())
    #expect(returned + rest.text == text.joined())
    #expect(ear.ends.count == 1)
    bench.close()
  }
}
