import MusterJSON
package import MusterRuns
import MusterStore
import MusterSystem

/// A submitted call: it is done on threads of the plane's pool, and what it gives waits here, at no more than a place in a
/// journal, until its reader takes it.
package final class Submission: PoolJob, FlightListener, FollowerOwner, @unchecked Sendable {
  private let plane: ControlPlane
  private let operation: Operation
  private let interrupt: Interrupt
  private let deadline: Deadline
  private let lock = Lock()
  // Under the lock.
  private var request: Request?
  private var reader: (any SubmissionReader)?
  private var follower: Follower?
  private var result: (answer: [UInt8]?, failure: Failure?)?
  private var isClosed = false
  private var hasEnded = false
  /// Whether a place among the runs is kept for it.
  private var hasPlace: Bool
  private var endsWithReader = false
  /// Ends the following of a task.
  private var timer: Int?
  /// Among those that the plane ends with itself; set before it is started.
  var followingNumber = 0
  // Of whoever runs it.
  private var form: Operation.Form
  private var checked: Checked?
  /// Under which the answer is kept for repetitions.
  private var key: IdempotencyKey?
  private var isSecond = false

  /// What was submitted, until it is started; an object of its own, because many calls wait for long.
  private final class Request {
    let arguments: Arguments
    let caller: Caller

    init(_ arguments: Arguments, _ caller: Caller) {
      self.arguments = arguments
      self.caller = caller
    }
  }

  /// The checked call, until its run has begun.
  private final class Checked {
    let call: OperationCall

    init(_ call: OperationCall) { self.call = call }
  }

  private var call: OperationCall? { checked?.call }

  private final class Reminder: PoolJob {
    private let submission: Submission

    init(_ submission: Submission) { self.submission = submission }

    func run() { submission.mayHaveMore() }
  }

  init(
    plane: ControlPlane, operation: Operation, arguments: Arguments, caller: Caller, interrupt: Interrupt,
    deadline: Deadline, hasPlace: Bool
  ) {
    self.plane = plane
    self.operation = operation
    request = Request(arguments, caller)
    self.interrupt = interrupt
    self.deadline = deadline
    form = operation.form
    self.hasPlace = hasPlace
  }

  /// What a checked call of an operation that gives events is, for who waits for it: `start` follows. The interrupt is one
  /// of its own, because the caller's wakes the caller.
  init(_ call: OperationCall) {
    plane = call.plane
    operation = call.operation
    interrupt = Interrupt()
    deadline = call.deadline
    form = call.operation.form
    checked = Checked(call)
    hasPlace = false
  }

  /// Starts a checked call.
  func start() throws(Failure) {
    guard let call else { return }
    try start(call)
  }

  func interrupt(_ reason: Interrupt.Reason) { interrupt.fire(reason) }

  /// Says who reads it; they are told at once.
  package func setReader(_ reader: any SubmissionReader) {
    // A queue may be closed while it takes a submission in.
    lock.withLock { if !isClosed { self.reader = reader } }
    reader.mayHaveMore()
  }

  package func mayHaveMore() {
    let reader = lock.withLock { self.reader }
    reader?.mayHaveMore()
  }

  /// Ends a run, or the following of one. It still has an end.
  package func cancel() { interrupt.fire(.cancelled) }

  // MARK: - Doing it

  /// Does what is to be done, as far as it goes without waiting for a model; on any thread, once.
  package func run() {
    let request = lock.withLock { () -> Request? in
      defer { self.request = nil }
      return self.request
    }
    guard let request else { return }
    do throws(Failure) {
      // In the gate, so that the plane is not closed meanwhile.
      guard try plane.pass(interrupt, { () throws(Failure) in try start(request) }) != nil else {
        throw Failure(.closed, "the plane is closed")
      }
    } catch {
      settle(nil, error)
    }
  }

  private func start(_ request: Request) throws(Failure) {
    if interrupt.reason == .cancelled { throw Failure(.cancelled, "the call was cancelled before it began") }
    try start(
      try plane.checked(
        operation, request.arguments, as: request.caller, deadline: deadline, interrupt: interrupt))
  }

  private func start(_ call: OperationCall) throws(Failure) {
    if form == .run, call.flag("asynchronous") { form = .acceptance }
    switch form {
    case .answer: settle(try plane.answer(operation, call))
    case .events:
      let place = try TaskEventsOperation.place(call)
      try TaskEventsOperation.check(call)
      follow(plane.runs.follow(call.taskID, in: call.organizationID, after: place))
      attend()
    case .run, .acceptance, .runEvents:
      if form == .runEvents {
        follow(plane.runs.follower(of: "", in: call.organizationID))
        let ends = call.string("on_disconnect") == "cancel"
        let isUnread = lock.withLock { () -> Bool in
          endsWithReader = ends
          return isClosed
        }
        if ends, isUnread { cancel() }
      }
      if let key = call.idempotency, try repeats(key, call) { return }
      checked = Checked(call)
      try launch(try InvokeOperation.invocation(call))
    }
  }

  private func launch(_ invocation: Invocation) throws(Failure) {
    guard let call else { return }
    isSecond = isSecond || invocation.agentState == nil
    // The run counts from here on.
    giveBackPlace()
    do throws(RunError) {
      try plane.runs.launch(
        invocation, deadline: deadline, onBusy: InvokeOperation.busyRule(call),
        isDetached: !lock.withLock { endsWithReader }, interrupt: interrupt, listener: self)
    } catch {
      throw Failure(error)
    }
  }

  /// Follows the run of an earlier call with the same key; false when there was none.
  private func repeats(_ key: IdempotencyKey, _ call: OperationCall) throws(Failure) -> Bool {
    guard let known = try IdempotentCalls.record(key, call) else { return false }
    if form != .runEvents, let answer = known.answer {
      settle(answer)
      return true
    }
    guard let turn = known.turn else { throw Failure(.internal, "an idempotency key without a turn") }
    let follower = lock.withLock { self.follower } ?? plane.runs.follower(of: "", in: call.organizationID)
    follow(follower)
    follower.begin(turn: turn, of: known.resourceID)
    return true
  }

  /// Reads what a follower has, unless nobody reads this any more: each would hold the other for ever.
  private func follow(_ follower: Follower) {
    let isRead = lock.withLock { () -> Bool in
      if !isClosed { self.follower = follower }
      return !isClosed
    }
    if isRead { follower.setOwner(self) } else { follower.close() }
  }

  /// Hears of what ends the following of a task.
  private func attend() {
    interrupt.attach { [self] in mayHaveMore() }
    let reminder = plane.runs.pool.schedule(Reminder(self), at: deadline)
    let isOver = lock.withLock { () -> Bool in
      timer = reminder
      return isClosed || hasEnded
    }
    // It may have been read to its end, or closed, before there was anything to let go of.
    if isOver { stopAttending() }
  }

  private func stopAttending() {
    interrupt.detach()
    let reminder = lock.withLock { () -> Int? in
      defer { timer = nil }
      return timer
    }
    if let reminder { plane.runs.pool.callOff(reminder) }
    plane.stopFollowing(followingNumber)
  }

  private func settle(_ answer: [UInt8]?, _ failure: Failure? = nil) {
    lock.withLock { if result == nil { result = (answer, failure) } }
    giveBackPlace()
    mayHaveMore()
  }

  /// Gives the place for its run back, if that has not been taken.
  private func giveBackPlace() {
    let wasReserved = lock.withLock { () -> Bool in
      defer { hasPlace = false }
      return hasPlace
    }
    if wasReserved { plane.runs.giveBackPlace() }
  }

  // MARK: - Hearing of the run

  package func begun(_ turn: LiveTurn) {
    // What the run goes on with it has in its journal.
    key = call?.idempotency
    checked = nil
    if form == .acceptance {
      do throws(Failure) {
        settle(try TaskDocument.make(turn.accepted))
        try remember()
      } catch {
        settle(nil, error)
      }
    }
    lock.withLock { follower }?.begin(turn)
  }

  package func ended(_ end: FlightEnd) {
    do throws(Failure) {
      switch end {
      case .task(let snapshot, let cause):
        // A stream has its end from the turn itself.
        guard form == .run else { break }
        settle(try TaskDocument.make(snapshot), cause.map { Failure($0) })
        if cause == nil { try remember() }
      case .failed(let error): if try isBegunAnew(error) { return }
      }
    } catch {
      settle(nil, error)
    }
    checked = nil
  }

  /// Whether the call goes on after its run could not begin; throws when it does not.
  private func isBegunAnew(_ error: RunError) throws(Failure) -> Bool {
    if case .store(.repeated) = error, let call, let key = call.idempotency, try repeats(key, call) { return false }
    guard error.isOutdatedAgent, !isSecond, let call else { throw Failure(error) }
    // Nothing has begun: the store says how the agent is now.
    isSecond = true
    try launch(try InvokeOperation.invocation(call, isFresh: true))
    return true
  }

  private func remember() throws(Failure) {
    guard let key, let answer = lock.withLock({ result?.answer }) else { return }
    // Without it a repetition is answered from the task, as long as that is at this turn.
    do throws(StoreError) { try plane.store.keepAnswer(answer, of: key) } catch {}
  }

  // MARK: - Reading

  /// The next item; nil: nothing now, or nothing any more. One thread at a time.
  package func next() -> SubmissionItem? {
    while true {
      let (follower, result, isOver) = lock.withLock { (self.follower, self.result, hasEnded || isClosed) }
      if isOver { return nil }
      if let result { return end(result.answer, 0, result.failure) }
      guard let follower else { return nil }
      if form == .events, let reason = interrupt.reason {
        return end(nil, 0, Failure(RunError.interrupted(reason, taskID: nil)))
      }
      if form == .events, deadline.hasPassed { return end(nil, 0, Failure(.timeout, "the time of the call ran out")) }
      guard let item = follower.next() else { return nil }
      do throws(Failure) {
        switch item {
        case .event(let event):
          // Whoever wants the task alone waits for its end, or gets it as it was accepted.
          if form == .acceptance, case .created(let snapshot) = event.content {
            return end(try TaskDocument.make(snapshot), 0, nil)
          }
          if form == .run || form == .acceptance { continue }
          return .data(try EventDocument.make(event), sequence: event.position.sequence)
        case .end(.finished(let event, let cause)):
          if form != .runEvents, form != .events, case .finished(let snapshot) = event.content {
            return end(try TaskDocument.make(snapshot), 0, nil)
          }
          return end(try EventDocument.make(event), event.position.sequence, cause.map { Failure($0) })
        case .end(.failed(let error)): throw Failure(error)
        }
      } catch {
        return end(nil, 0, error)
      }
    }
  }

  private func end(_ answer: [UInt8]?, _ sequence: Int64, _ failure: Failure?) -> SubmissionItem {
    close(isEnd: true)
    return .final(answer, sequence: sequence, failure: failure)
  }

  /// Lets go of it: nothing is given any more. A run goes on, unless its `on_disconnect` says otherwise.
  package func close() {
    let endsWithReader = lock.withLock { () -> Bool in
      isClosed = true
      return self.endsWithReader
    }
    if endsWithReader { cancel() }
    close(isEnd: false)
  }

  private func close(isEnd: Bool) {
    let follower = lock.withLock { () -> Follower? in
      if isEnd { hasEnded = true } else { isClosed = true }
      reader = nil
      defer { self.follower = nil }
      return self.follower
    }
    giveBackPlace()
    follower?.close()
    if operation.form == .events { stopAttending() }
  }

  /// Why it failed before there was anything to follow; nil when it did not.
  package var failure: Failure? {
    lock.withLock { result?.failure }
  }
}
