import MusterStore
import MusterSystem

/// Waits until a run was accepted that nobody waits for any longer.
final class Acceptance: FlightListener, @unchecked Sendable {
  /// Of the run. Fired only when it was not accepted.
  let interrupt = Interrupt()
  private let lock = Lock()
  private let changed = Condition()
  private var result: Result<TaskSnapshot, RunError>?

  func begun(_ turn: LiveTurn) { settle(.success(turn.accepted)) }

  func ended(_ end: FlightEnd) {
    switch end {
    // It had begun before.
    case .task: return
    case .failed(let error): settle(.failure(error))
    }
  }

  private func settle(_ result: Result<TaskSnapshot, RunError>) {
    lock.withLock {
      if self.result == nil { self.result = result }
      changed.broadcast()
    }
  }

  /// The task, or why there is none. When the time is over, or the caller is interrupted, the run is called off, unless it
  /// was accepted in the same moment.
  func wait(_ deadline: Deadline, _ caller: Interrupt) throws(RunError) -> TaskSnapshot {
    let result = caller.whileWaking({ [self] in lock.withLock { changed.broadcast() } }) {
      var isCalledOff = false
      while true {
        let reason = caller.reason
        if !isCalledOff, reason != nil || deadline.hasPassed {
          isCalledOff = true
          interrupt.fire(reason ?? .cancelled)
        }
        lock.lock()
        defer { lock.unlock() }
        if let result = self.result { return (result, isCalledOff, reason) }
        _ = changed.wait(lock, until: isCalledOff ? .never : deadline.earlier(.after(milliseconds: 50)))
        if let result = self.result { return (result, isCalledOff, reason) }
      }
    }
    switch result {
    case (.success(let task), _, _): return task
    case (.failure(.interrupted(.cancelled, nil)), true, nil): throw .timedOut(taskID: nil)
    case (.failure(let error), _, _): throw error
    }
  }
}
