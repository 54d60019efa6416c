import MusterEngine
import MusterModels
import MusterStore
import MusterSystem
import MusterTools

/// Drives one run on the caller's thread.
struct RunPump {
  private let driver: RunDriver
  private let deadline: Deadline
  private let interrupt: Interrupt
  private var journal: RunJournal
  private let watch: TaskWatch

  init(driver: RunDriver, begun: BegunTurn, deadline: Deadline, interrupt: Interrupt) {
    self.driver = driver
    self.interrupt = interrupt
    journal = RunJournal(driver: driver, begun: begun)
    self.deadline = journal.secondsLimit.map { deadline.earlier($0) } ?? deadline
    watch = TaskWatch(store: driver.store, task: begun.task)
  }

  /// Why a command gave no event of its own.
  private enum Disturbance {
    case interrupted(Interrupt.Reason)
    case timedOut
    /// The task is not ours any more.
    case lost
  }

  private enum Outcome {
    case event(Event)
    /// These sub-tasks go on by themselves, and the run after them.
    case apart([String])
    case disturbed(Disturbance)
  }

  /// Performs the run's commands until it has ended.
  mutating func drive() throws(RunError) -> TaskSnapshot {
    do throws(RunError) {
      return try pump()
    } catch {
      switch error {
      case .store, .unreadable: driver.addStray(journal.task)
      default: break
      }
      throw error
    }
  }

  private mutating func pump() throws(RunError) -> TaskSnapshot {
    while let command = journal.command {
      let outcome: Outcome?
      switch command {
      case .finish(let finish): return try journal.finished(finish)
      case .askModel, .summarize: outcome = try ask(command)
      case .wait(let milliseconds): outcome = wait(milliseconds)
      case .callTool, .answerCall, .askPerson:
        if case .calling(let calls) = journal.run.phase, calls.waitsForPeople {
          guard try journal.park(.paused) else { return try journal.lost() }
          return try journal.paused()
        }
        outcome = try callTools()
      }
      switch outcome {
      case nil: continue
      case .event(let event):
        guard try journal.record(event) else { return try journal.lost() }
      case .apart(let subtasks):
        guard try journal.park(.pending) else { return try journal.lost() }
        driver.goOnIfEnded(subtasks, of: journal.task)
        return try journal.paused()
      case .disturbed(.lost): return try journal.lost()
      case .disturbed(.timedOut):
        if journal.isOutOfSeconds {
          guard try journal.record(.stopRequested(.seconds)) else { return try journal.lost() }
          continue
        }
        guard try journal.record(.stopRequested(.timeout)) else { return try journal.lost() }
        throw .timedOut(taskID: journal.task.id)
      case .disturbed(.interrupted(let reason)):
        switch reason {
        case .stopped:
          // Whoever stopped it has ended the task already. Should it be ours all the same, it must not stay behind
          // unfinished.
          _ = try journal.record(.stopRequested(.person))
          return try journal.lost()
        case .unneeded:
          guard try journal.record(.stopRequested(.parent)) else { return try journal.lost() }
        case .cancelled:
          guard try journal.record(.stopRequested(.cancelled)) else { return try journal.lost() }
        case .closing:
          guard try journal.record(.interrupted) else { return try journal.lost() }
        }
        throw .interrupted(reason, taskID: journal.task.id)
      }
    }
    throw .unreadable("the run of task \(journal.task.id) has no command")
  }

  // MARK: - Commands

  private func wait(_ milliseconds: Int64) -> Outcome {
    let end = Deadline.after(milliseconds: milliseconds)
    while !end.hasPassed {
      let step = end.earlier(deadline).earlier(.after(milliseconds: 50))
      if Sleep.sleep(until: step, interrupt: interrupt), let reason = interrupt.reason {
        return .disturbed(.interrupted(reason))
      }
      if deadline.hasPassed { return .disturbed(.timedOut) }
      if !watch.isStillOurs() { return .disturbed(.lost) }
    }
    return .event(.waited)
  }

  /// Calls the tools that the model asks for, and takes down what they answer. Nil when all have answered.
  private mutating func callTools() throws(RunError) -> Outcome? {
    guard case .calling(let calls) = journal.run.phase else { return nil }
    let lock = Lock()
    let changed = Condition()
    let wake = { lock.withLock { changed.signal() } }
    let round = ToolRound(calls, of: journal, deadline: deadline, tell: wake)
    defer { round.cancel(interrupt.reason ?? .unneeded) }
    return try interrupt.whileWaking(wake) { () throws(RunError) -> Outcome? in
      while true {
        round.start(onCaller: true)
        while let event = round.next() {
          guard try journal.record(event) else { return .disturbed(.lost) }
        }
        if round.isOver {
          let apart = round.apart
          return apart.isEmpty ? nil : .apart(apart)
        }
        if let reason = interrupt.reason { return .disturbed(.interrupted(reason)) }
        if deadline.hasPassed { return .disturbed(.timedOut) }
        lock.lock()
        if !round.hasReturned { _ = changed.wait(lock, until: deadline.earlier(.after(milliseconds: 50))) }
        lock.unlock()
        // What has come is written to a task that is ours, or not at all.
        if !round.hasReturned, !round.isOver, !watch.isStillOurs() { return .disturbed(.lost) }
      }
    }
  }

  private func ask(_ command: Command) throws(RunError) -> Outcome {
    let failure: ModelFailure
    switch try journal.question(command) {
    case .failure(let refusal): failure = refusal
    case .success(let request):
      do throws(ModelFailure) {
        let answer = try driver.models.ask(request, deadline: deadline, interrupt: interrupt, tick: watch.isStillOurs)
        return .event(journal.event(of: answer))
      } catch {
        failure = error
      }
    }
    if let event = journal.event(of: failure, deadline: deadline) { return .event(event) }
    switch failure.kind {
    case .interrupted(let reason): return .disturbed(.interrupted(reason))
    case .abandoned: return .disturbed(.lost)
    default: return .disturbed(.timedOut)
    }
  }
}
