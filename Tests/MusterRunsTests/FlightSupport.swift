import Foundation
import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem

@testable import MusterRuns

/// Hears a flight, and keeps what it heard.
final class Ear: FlightListener, @unchecked Sendable {
  private let lock = NSLock()
  private let heardEnd = DispatchSemaphore(value: 0)
  private var begins: [LiveTurn] = []
  private var heard: [FlightEnd] = []
  let follower: Follower?

  init(follower: Follower? = nil) { self.follower = follower }

  func begun(_ turn: LiveTurn) {
    lock.withLock { begins.append(turn) }
    follower?.begin(turn)
  }

  func ended(_ end: FlightEnd) {
    lock.withLock { heard.append(end) }
    if case .failed(let error) = end { follower?.fail(error) }
    heardEnd.signal()
  }

  var turns: [LiveTurn] { lock.withLock { begins } }
  var ends: [FlightEnd] { lock.withLock { heard } }

  /// The first end; nil when none came in ten seconds.
  func end(seconds: Double = 10) -> FlightEnd? {
    guard heardEnd.wait(timeout: .now() + seconds) == .success else { return nil }
    heardEnd.signal()
    return ends.first
  }
}

/// Reads a follower to its end, as slowly as it is told.
final class Reader: FollowerOwner, @unchecked Sendable {
  private let news = DispatchSemaphore(value: 0)
  private let follower: Follower
  private(set) var events: [TaskEvent] = []
  private(set) var end: FollowerEnd?

  init(_ follower: Follower) {
    self.follower = follower
    follower.setOwner(self)
  }

  func mayHaveMore() { news.signal() }

  /// Reads until the end, or until there were so many events. False when it took longer than allowed.
  @discardableResult
  func read(most: Int = .max, seconds: Double = 10, pauseMicroseconds: UInt32 = 0) -> Bool {
    let limit = DispatchTime.now() + seconds
    while end == nil, events.count < most {
      switch follower.next() {
      case .event(let event): events.append(event)
      case .end(let last):
        end = last
        if case .finished(let event, _) = last { events.append(event) }
      case nil: if news.wait(timeout: limit) == .timedOut { return false }
      }
      if pauseMicroseconds > 0 { usleep(pauseMicroseconds) }
    }
    return true
  }

  var text: String {
    String(
      decoding: events.flatMap { event -> [UInt8] in
        if case .chunk(let bytes) = event.content { return bytes }
        return []
      }, as: UTF8.self)
  }

  var finished: TaskSnapshot? {
    if case .finished(let event, _)? = end, case .finished(let snapshot) = event.content { return snapshot }
    return nil
  }

  /// Whether the end of its plane was the end.
  var isClosed: Bool {
    if case .failed(.interrupted(.closing, _))? = end { true } else { false }
  }

  /// The kinds of the events, with the numbers of their records.
  var kinds: [String] {
    events.map { event in
      switch event.content {
      case .created: return "created \(event.position.text)"
      case .updated(let snapshot):
        return "\(snapshot.task.status == .paused ? "paused" : "updated") \(event.position.text)"
      case .toolAsked(let request, _): return "asked \(request.name) \(event.position.text)"
      case .agentTriggered(let agent, _, _): return "triggered \(agent) \(event.position.text)"
      case .toolReturned(let request, _, _): return "returned \(request.name) \(event.position.text)"
      case .chunk: return "chunk \(event.position.sequence)"
      case .finished: return "finished \(event.position.text)"
      }
    }
  }
}

extension Bench {
  /// Submits a run, followed by its submitter.
  func launch(
    _ text: String, thread: String = "t1", request: String = "{}", milliseconds: Int64 = 20_000,
    onBusy: BusyRule = .enqueue, interrupt: Interrupt = Interrupt(), isFollowed: Bool = true
  ) throws -> Ear {
    let ear = Ear(follower: isFollowed ? driver.follower(of: thread, in: organization) : nil)
    try driver.launch(
      try invocation(text, thread: thread, request: request), deadline: .after(milliseconds: milliseconds),
      onBusy: onBusy, interrupt: interrupt, listener: ear)
    return ear
  }

  func follow(_ thread: String = "t1", after: EventPosition = .start) -> Reader {
    Reader(driver.follow(thread, in: organization, after: after))
  }
}

/// A model whose answers the test makes, piece by piece.
final class OpenModel: ModelClient, @unchecked Sendable {
  private let lock = NSLock()
  private let started = DispatchSemaphore(value: 0)
  private var calls: [Call] = []

  final class Call: ModelCall, @unchecked Sendable {
    private let lock = NSLock()
    private var listener: (any ModelListener)?
    private var reason: Interrupt.Reason?

    init(_ listener: any ModelListener) { self.listener = listener }

    /// Why it was cancelled.
    var cancelled: Interrupt.Reason? { lock.withLock { reason } }

    func say(_ text: String) { lock.withLock { listener }?.heard(Array(text.utf8)) }

    func end(_ outcome: ModelOutcome? = nil) {
      let usual = ModelOutcome.answered(
        ModelAnswerEnd(finishReason: "stop", model: "m", promptTokens: 3, completionTokens: 4, hasUsage: true))
      take()?.ended(outcome ?? usual)
    }

    func cancel(_ reason: Interrupt.Reason) {
      lock.withLock { self.reason = reason }
      take()?.ended(.failed(ModelFailure(kind: .interrupted(reason), message: "interrupted")))
    }

    private func take() -> (any ModelListener)? {
      lock.withLock {
        defer { listener = nil }
        return listener
      }
    }
  }

  func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer {
    throw ModelFailure(kind: .notConfigured, message: "only for streams")
  }

  func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall {
    let call = Call(listener)
    lock.withLock { calls.append(call) }
    started.signal()
    return call
  }

  /// The next call; nil when none came in ten seconds.
  func next() -> Call? {
    guard started.wait(timeout: .now() + 10) == .success else { return nil }
    return lock.withLock { calls.removeFirst() }
  }
}
