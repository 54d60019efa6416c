import MusterEngine
import MusterStore
package import MusterSystem

/// How a turn has ended, for those who did not run it.
package enum TurnOutcome: Sendable {
  case ended(TaskSnapshot)
  /// The task is gone.
  case missing
  /// Another living process runs it, or it was put aside.
  case elsewhere
  /// A later turn has begun: the task tells of that one only.
  case over
}

extension RunDriver {
  /// Waits for a turn that this process runs; a turn of a dead process is ended. `madeBefore`: a task with the id that
  /// was made later is another one.
  package func outcome(
    ofTurn turn: Int64, of id: String, in organization: String, madeBefore time: Timestamp, deadline: Deadline,
    interrupt: Interrupt
  ) throws(RunError) -> TurnOutcome {
    while true {
      guard let task = try found(id, in: organization), task.createdAt <= time else { return .missing }
      guard task.turn == turn else { return .over }
      if task.status.isFinal {
        guard let snapshot = try snapshot(id, in: organization) else { return .missing }
        // It may have begun another turn since it was looked at.
        return snapshot.task.turn == turn && snapshot.task.status.isFinal ? .ended(snapshot) : .over
      }
      if let owner = task.owner, store.isAlive(owner) {
        guard owner == store.owner else { return .elsewhere }
        try endIfStray(task)
        try waitForOther(deadline: deadline, interrupt: interrupt)
      } else if task.status == .paused {
        return .elsewhere
      } else if try park(task) {
        return .elsewhere
      } else {
        _ = try end(task, with: .interrupted)
      }
    }
  }
}
