import MusterStore
package import MusterSystem

extension RunDriver {
  private static let replayedAtOnce: Int64 = 256

  /// Folds the journal of a task again, as far as it reaches now: nobody is asked and nothing is written. Nil when there is
  /// no such task.
  package func replay(
    _ id: String, in organization: String, deadline: Deadline, interrupt: Interrupt
  ) throws(RunError) -> Replay? {
    var replay: TaskReplay?
    var after: Int64 = 0
    while true {
      if let reason = interrupt.reason { throw .interrupted(reason, taskID: nil) }
      if deadline.hasPassed { throw .timedOut(taskID: nil) }
      let folded = after
      let found = try asStore { () throws(StoreError) in
        try store.progress(
          of: id, in: organization, after: folded, isContinued: folded > 0, limit: RunDriver.replayedAtOnce)
      }
      guard let found else {
        if replay == nil { return nil }
        throw .deleted
      }
      var current = replay ?? TaskReplay(task: found.task, subtasks: found.subtasks)
      let task = current.result.task
      // One that was made meanwhile with the same id is another task.
      guard task.key == found.task.key, task.createdAt == found.task.createdAt else { throw .deleted }
      for record in found.records where record.sequence <= task.sequence { current.take(record) }
      after = found.records.last?.sequence ?? task.sequence
      if after >= task.sequence {
        current.finish()
        return current.result
      }
      replay = current
    }
  }
}
