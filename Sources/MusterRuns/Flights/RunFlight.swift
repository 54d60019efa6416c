import MusterEngine
import MusterJSON
import MusterModels
import MusterStore
import MusterSystem

/// A run that nobody's thread waits for. What happens to it (its turn has come, the model has answered, time is over, it
/// is interrupted) comes as signals from any thread, and is handled one after another on threads of the pool.
final class RunFlight: PoolJob, @unchecked Sendable {
  /// Something that happened.
  private enum Signal {
    case launched
    case admitted
    /// A moment has come that the flight waited for; one of another wait is out of date.
    case elapsed(wait: Int)
    case answered(attempt: Int, ModelOutcome)
    /// A tool has answered; one of another round is out of date.
    case returned(attempt: Int)
    /// The interrupt has fired.
    case interrupted
    /// The task was taken away by another process.
    case lost
  }

  /// What the flight waits for.
  private enum Stage {
    case arriving
    case inLine
    /// Another process runs the thread's turn.
    case behindOther
    case asking(any ModelCall)
    case calling(ToolRound)
    case waiting
    case ended
  }

  let name: TaskName
  private let driver: RunDriver
  private var deadline: Deadline
  private let onBusy: BusyRule
  let interrupt: Interrupt
  /// Among those of its driver, which keeps it.
  var number = 0
  // Handled by one thread at a time, see `run`.
  private var invocation: Invocation?
  /// The turn that it goes on with, if it begins none.
  private var taken: BegunTurn?
  private let isDetached: Bool
  private var listener: (any FlightListener)?
  private var place: TurnQueue<TaskName>.Place?
  private var hasTurn = false
  private var journal: RunJournal?
  private var live: LiveTurn?
  private var stage = Stage.arriving
  private var timer: Int?
  private var cause: RunError?
  /// What hears the attempt that is open, if it is for a summary.
  private var summary: SummaryAttempt?
  /// The number of the wait, and of the attempt, that counts.
  private var wait = 0
  private var attempt = 0
  // Under the lock.
  private let lock = Lock()
  private var signals = Queue<Signal>()
  private var isScheduled = false
  private var held: HeldTask?

  /// For a task that was put aside: `launch` gives it when it is taken in hand.
  init(resuming task: TaskRow, driver: RunDriver, deadline: Deadline, interrupt: Interrupt) {
    name = TaskName(task.organizationID, task.id)
    isDetached = true
    self.driver = driver
    self.deadline = deadline
    onBusy = .enqueue
    self.interrupt = interrupt
  }

  init(
    _ invocation: Invocation, driver: RunDriver, deadline: Deadline, onBusy: BusyRule, isDetached: Bool,
    interrupt: Interrupt, listener: any FlightListener
  ) {
    self.isDetached = isDetached
    name = TaskName(invocation.organizationID, invocation.taskID)
    self.invocation = invocation
    self.driver = driver
    self.deadline = deadline
    self.onBusy = onBusy
    self.interrupt = interrupt
    self.listener = listener
  }

  /// The task that it runs, while it does.
  var heldTask: HeldTask? { lock.withLock { held } }

  private func hold(_ task: HeldTask?) { lock.withLock { held = task } }

  // MARK: - Signals

  /// Starts it, on this thread as far as it goes without waiting.
  func launch() {
    lock.withLock {
      isScheduled = true
      signals.append(.launched)
    }
    // From here on, and also if it has fired already.
    interrupt.attach { [self] in signal(.interrupted) }
    run()
  }

  /// Goes on with a turn.
  func launch(_ taken: BegunTurn) {
    self.taken = taken
    launch()
  }

  func lose() { signal(.lost) }

  private func signal(_ signal: Signal) {
    let isIdle = lock.withLock { () -> Bool in
      signals.append(signal)
      defer { isScheduled = true }
      return !isScheduled
    }
    // Without a pool that takes it, it is handled here: it must not be lost.
    if isIdle, !driver.pool.submit(self) { run() }
  }

  /// Handles what has happened.
  func run() {
    while let signal = nextSignal() {
      do throws(RunError) {
        try handle(signal)
      } catch {
        fail(error)
      }
    }
  }

  private func nextSignal() -> Signal? {
    lock.withLock {
      let signal = signals.popFirst()
      if signal == nil { isScheduled = false }
      return signal
    }
  }

  private func handle(_ signal: Signal) throws(RunError) {
    switch (stage, signal) {
    case (.ended, _): return
    case (_, .interrupted): if let reason = interrupt.reason { try disturb(reason) }
    case (_, .lost): if journal != nil { try leave() }
    case (.arriving, .launched): try arrive()
    case (.inLine, .admitted):
      callOffTimer()
      hasTurn = true
      try begin()
    case (.inLine, .elapsed(let number)) where number == wait: throw .timedOut(taskID: nil)
    case (.behindOther, .elapsed(let number)) where number == wait:
      if deadline.hasPassed { throw .timedOut(taskID: nil) }
      try begin()
    case (.waiting, .elapsed(let number)) where number == wait:
      timer = nil
      if deadline.hasPassed { try end(by: .stopRequested(whyLate, text: textSoFar)) } else { try take(.waited) }
    case (.asking, .answered(let number, let outcome)) where number == attempt: try take(outcome)
    case (.calling(let round), .returned(let number)) where number == attempt: try take(round)
    case (.calling, .elapsed(let number)) where number == wait:
      timer = nil
      try end(by: .stopRequested(whyLate))
    default: return
    }
  }

  // MARK: - Beginning

  private func arrive() throws(RunError) {
    // It has its turn already: the others of its thread come behind it. An interrupt meets it as one that is under way.
    if let taken {
      self.taken = nil
      return try goOn(taken, isResumed: true)
    }
    if let reason = interrupt.reason { throw .interrupted(reason, taskID: nil) }
    let entered = driver.turns.enter(name, mayWait: onBusy != .reject) { [self] in signal(.admitted) }
    guard let entered else { throw .busy }
    place = entered.place
    hasTurn = entered.hasTurn
    if hasTurn { return try begin() }
    stage = .inLine
    startTimer(deadline)
    if onBusy == .replace, let invocation { try driver.replaceTurns(of: invocation, for: self) }
  }

  private func begin() throws(RunError) {
    guard let invocation else { return }
    // Also across processes.
    guard let begun = try driver.tryBegin(invocation, isDetached: isDetached) else {
      if onBusy == .reject { throw .busy }
      if onBusy == .replace { _ = try driver.stop(invocation.taskID, in: invocation.organizationID) }
      stage = .behindOther
      startTimer(deadline.earlier(.after(milliseconds: 50)))
      return
    }
    self.invocation = nil
    try goOn(begun, isResumed: false)
  }

  private func goOn(_ begun: BegunTurn, isResumed: Bool) throws(RunError) {
    let journal = RunJournal(driver: driver, begun: begun)
    let turn = LiveTurn(task: begun.task, beginning: try journal.slimBeginning())
    if isResumed { turn.recorded(begun.task.sequence, at: begun.task.updatedAt, isInJournal: true) }
    self.journal = journal
    if let limit = journal.secondsLimit { deadline = deadline.earlier(limit) }
    live = turn
    hold(HeldTask(key: begun.task.key, fence: begun.task.fence))
    driver.running.add(name, .init(interrupt: interrupt, task: begun.task))
    driver.feed.publish(turn, as: name)
    listener?.begun(turn)
    try goOn()
  }

  // MARK: - Performing

  /// Performs the run's commands until one has to be waited for, or the run has ended.
  private func goOn() throws(RunError) {
    while let journal, let command = journal.command {
      switch command {
      case .finish(let finish):
        let snapshot = try journal.finished(finish)
        return end(.task(snapshot, cause: cause)) { $0.finish(snapshot, cause: self.cause) }
      case .wait(let milliseconds):
        stage = .waiting
        return startTimer(deadline.earlier(.after(milliseconds: milliseconds)))
      case .askModel(let number, _), .summarize(let number):
        if let reason = interrupt.reason { return try disturb(reason) }
        if try ask(number, command) { return }
      case .callTool, .answerCall, .askPerson: return try callTools()
      }
    }
    throw .unreadable("the run of task \(name.taskID) has no command")
  }

  /// Asks the model. False when it was not asked, and that is on record.
  private func ask(_ number: Int64, _ command: Command) throws(RunError) -> Bool {
    guard let journal, let live else { return true }
    let failure: ModelFailure
    switch try journal.question(command) {
    case .failure(let refusal): failure = refusal
    case .success(let request):
      self.journal?.slim(live.beginning)
      attempt &+= 1
      let listener: any ModelListener
      if case .summarize = command {
        summary = SummaryAttempt(flight: self, attempt: attempt)
        listener = summary ?? SummaryAttempt(flight: self, attempt: attempt)
      } else {
        live.beginAttempt(number)
        listener = Attempt(
          flight: self, live: live, number: number, sequence: journal.task.sequence, attempt: attempt)
      }
      do throws(ModelFailure) {
        stage = .asking(try driver.models.start(request, deadline: deadline, listener))
        return true
      } catch {
        failure = error
      }
    }
    if try take(failure) { return true }
    return false
  }

  /// Calls the tools that the model asks for.
  private func callTools() throws(RunError) {
    guard let journal, case .calling(let calls) = journal.run.phase else { return }
    if calls.waitsForPeople { return try pause() }
    attempt &+= 1
    let number = attempt
    let round = ToolRound(calls, of: journal, deadline: deadline) { [self] in
      signal(.returned(attempt: number))
    }
    stage = .calling(round)
    startTimer(deadline)
    round.start(onCaller: false)
  }

  /// Takes down what tools have answered.
  private func take(_ round: ToolRound) throws(RunError) {
    while let event = round.next() {
      guard try record(event) else { return }
    }
    if !round.isOver { return round.start(onCaller: false) }
    let apart = round.apart
    if !apart.isEmpty { return try wait(for: apart) }
    // The model is asked again, or what is still to be done about some calls has changed.
    stage = .arriving
    callOffTimer()
    try goOn()
  }

  /// Puts the task aside until its sub-tasks have ended.
  private func wait(for subtasks: [String]) throws(RunError) {
    guard var journal else { return }
    guard try journal.park(.pending) else { return try leave() }
    let snapshot = try journal.paused()
    let task = journal.task
    end(.task(snapshot, cause: nil)) { $0.finish(snapshot, cause: nil) }
    driver.goOnIfEnded(subtasks, of: task)
  }

  /// Puts the task aside until a person has decided.
  private func pause() throws(RunError) {
    guard var journal else { return }
    guard try journal.park(.paused) else { return try leave() }
    let snapshot = try journal.paused()
    end(.task(snapshot, cause: nil)) { $0.finish(snapshot, cause: nil) }
  }

  /// Hears one attempt.
  private final class Attempt: ModelListener {
    private let flight: RunFlight
    private let live: LiveTurn
    /// As the engine counts, and as the flight does.
    private let number: Int64
    private let attempt: Int
    private let sequence: Int64

    init(flight: RunFlight, live: LiveTurn, number: Int64, sequence: Int64, attempt: Int) {
      self.flight = flight
      self.live = live
      self.number = number
      self.sequence = sequence
      self.attempt = attempt
    }

    func heard(_ text: [UInt8]) { live.hear(text, attempt: number, after: sequence) }

    func ended(_ outcome: ModelOutcome) { flight.signal(.answered(attempt: attempt, outcome)) }
  }

  /// Hears an attempt whose text nobody follows.
  private final class SummaryAttempt: ModelListener, @unchecked Sendable {
    private let flight: RunFlight
    private let attempt: Int
    private let lock = Lock()
    private var text: [UInt8] = []

    init(flight: RunFlight, attempt: Int) {
      self.flight = flight
      self.attempt = attempt
    }

    var textSoFar: [UInt8] { lock.withLock { text } }

    func heard(_ text: [UInt8]) { lock.withLock { self.text.append(contentsOf: text) } }

    func ended(_ outcome: ModelOutcome) { flight.signal(.answered(attempt: attempt, outcome)) }
  }

  private var textSoFar: JSON? { live.flatMap { RunFlight.text($0.freeze()) } }

  /// Text that came of an answer, as it is put on record; nil when there is none.
  static func text(_ text: [UInt8]) -> JSON? {
    if text.isEmpty { return nil }
    var writer = JSONWriter(capacity: text.count &+ 2)
    writer.value(utf8: text)
    return writer.json
  }

  private func take(_ outcome: ModelOutcome) throws(RunError) {
    stage = .arriving
    switch outcome {
    case .failed(let failure):
      if try !take(failure) { try goOn() }
    case .answered(let end):
      guard let journal, let live else { return }
      let text = summary?.textSoFar ?? live.textSoFar
      summary = nil
      try take(journal.event(of: end.answer(heard: text)))
    }
  }

  /// Takes a failed attempt. True when that was the end of the run or nothing has to be done; false when it is on record
  /// and the run goes on.
  private func take(_ failure: ModelFailure) throws(RunError) -> Bool {
    guard let journal else { return true }
    guard let event = journal.event(of: failure, deadline: deadline) else {
      if case .interrupted(let reason) = failure.kind {
        try disturb(reason)
      } else {
        try end(by: .stopRequested(whyLate, text: textSoFar))
      }
      return true
    }
    return try !record(event)
  }

  private func take(_ event: Event) throws(RunError) {
    if try record(event) { try goOn() }
  }

  /// Writes an event. False when the task was not ours any more: then the flight has ended.
  private func record(_ event: Event) throws(RunError) -> Bool {
    guard var journal else { return false }
    guard try journal.record(event) else {
      try leave()
      return false
    }
    self.journal = journal
    // The end is told as such; of a tool's result that the turn ends with the journal tells, too.
    var isEnd = false
    if case .finish? = journal.command { isEnd = true }
    if !isEnd || event.isOfTools {
      live?.recorded(journal.task.sequence, at: journal.lastTime, isInJournal: event.isOfTools)
    }
    return true
  }

  // MARK: - Ending

  private func disturb(_ reason: Interrupt.Reason) throws(RunError) {
    guard let journal else { throw .interrupted(reason, taskID: nil) }
    switch reason {
    case .stopped: try leave()
    case .unneeded: try end(by: .stopRequested(.parent, text: textSoFar))
    case .cancelled:
      cause = .interrupted(.cancelled, taskID: journal.task.id)
      try end(by: .stopRequested(.cancelled, text: textSoFar))
    case .closing:
      let cause = RunError.interrupted(.closing, taskID: journal.task.id)
      if journal.run.isDetached {
        var own = journal
        if hangUp(.closing) {
          driver.putAsideLater(own.task)
        } else if try !own.park(.pending) {
          return try leave()
        }
        return end(.failed(cause)) { $0.fail(cause) }
      }
      self.cause = cause
      try end(by: .interrupted)
    }
  }

  /// Ends the run with an event from outside of it.
  private func end(by event: Event) throws(RunError) {
    hangUp(.unneeded)
    if case .stopRequested(.timeout, _) = event, let journal { cause = .timedOut(taskID: journal.task.id) }
    try take(event)
  }

  /// Closes the connection to the model, if there is one. What it still has to say counts for nothing. True when the host
  /// may be at work on a call of a tool.
  @discardableResult
  private func hangUp(_ reason: Interrupt.Reason) -> Bool {
    attempt &+= 1
    var isInHost = false
    switch stage {
    case .asking(let call): call.cancel(reason)
    case .calling(let round): isInHost = round.cancel(interrupt.reason ?? reason)
    default: break
    }
    stage = .arriving
    callOffTimer()
    return isInHost
  }

  /// The task is not ours any more: whoever took it has ended the turn, or deleted it.
  private func leave() throws(RunError) {
    hangUp(.stopped)
    guard let journal else { return }
    // Should it be ours all the same, it must not stay behind unfinished.
    var own = journal
    _ = try own.record(.stopRequested(.person, text: textSoFar))
    let snapshot = try journal.lost()
    end(.task(snapshot, cause: nil)) { $0.leaveToJournal() }
  }

  private func fail(_ error: RunError) {
    hangUp(.unneeded)
    if let journal {
      switch error {
      case .store, .unreadable: driver.addStray(journal.task)
      default: break
      }
    }
    end(.failed(error)) { $0.fail(error) }
  }

  private func end(_ end: FlightEnd, _ tell: (LiveTurn) -> Void) {
    if case .ended = stage { return }
    stage = .ended
    callOffTimer()
    hold(nil)
    interrupt.detach()
    driver.running.remove(name, interrupt)
    // Before anybody hears of the end: who does, finds room for another one.
    driver.flights.giveBack()
    if let live {
      driver.feed.retire(live, as: name)
      tell(live)
    }
    summary = nil
    if let place { driver.turns.leave(name, place) }
    let listener = listener
    self.listener = nil
    invocation = nil
    journal = nil
    live = nil
    place = nil
    listener?.ended(end)
    driver.landed(self)
    if case .task(let snapshot, _) = end { driver.goOnAbove(snapshot.task) }
  }

  // MARK: - Time

  /// Why a run ends whose time is over.
  private var whyLate: StopReason { journal?.isOutOfSeconds == true ? .seconds : .timeout }

  private func startTimer(_ moment: Deadline) {
    callOffTimer()
    timer = driver.pool.schedule(Elapsed(flight: self, wait: wait), at: moment)
  }

  private func callOffTimer() {
    wait &+= 1
    if let timer { driver.pool.callOff(timer) }
    timer = nil
  }

  private final class Elapsed: PoolJob {
    private let flight: RunFlight
    private let wait: Int

    init(flight: RunFlight, wait: Int) {
      self.flight = flight
      self.wait = wait
    }

    func run() { flight.signal(.elapsed(wait: wait)) }
  }
}
