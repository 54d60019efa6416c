package import MusterSystem

/// What turns make of a task's row: in memory, as the store then writes it.
extension TaskRow {
  /// The task with a further turn.
  func beginning(_ start: TurnStart, at position: Int64, owner: Int64) -> TaskRow {
    let task = TaskRow(self)
    task.updatedAt = start.entry.time
    task.status = .executing
    task.internalStatus = nil
    task.isManuallyStopped = false
    task.startedAt = start.entry.time
    task.finishedAt = nil
    task.turn = turn &+ 1
    task.sequence = sequence &+ 1
    task.firstSequence = task.sequence
    task.resultSequence = nil
    if start.carriesSystemMessage { task.systemSequence = task.sequence }
    task.owner = owner
    task.fence = fence &+ 1
    task.title = start.title
    task.userID = start.userID
    task.parentID = start.parentID ?? parentID
    task.triggeringAgentID = start.triggeringAgentID
    task.promptTokens = nil
    task.completionTokens = nil
    task.position = position
    return task
  }

  /// The task with a further record.
  func appending() -> TaskRow {
    let task = TaskRow(self)
    task.sequence = sequence &+ 1
    return task
  }

  /// The task put aside, in nobody's hands, with a further record if there is one.
  func parking(_ status: TaskStatus, with entry: JournalEntry?, at position: Int64) -> TaskRow {
    let task = TaskRow(self)
    if let entry {
      task.sequence = sequence &+ 1
      task.updatedAt = entry.time
    }
    task.status = status
    task.owner = nil
    task.fence = fence &+ 1
    task.position = position
    return task
  }

  /// The task in the hands of a process again, with the record that says so.
  func adopting(_ owner: Int64, with entry: JournalEntry, at position: Int64) -> TaskRow {
    let task = TaskRow(self)
    task.sequence = sequence &+ 1
    task.updatedAt = entry.time
    task.status = .executing
    task.owner = owner
    task.fence = fence &+ 1
    task.position = position
    return task
  }

  /// The task at the end of its turn, which `entry` is.
  func ending(_ end: TurnEnd, with entry: JournalEntry, at position: Int64) -> TaskRow {
    let task = TaskRow(self)
    task.sequence = sequence &+ 1
    task.updatedAt = entry.time
    task.finishedAt = entry.time
    task.status = end.status
    task.internalStatus = end.internalStatus
    task.isManuallyStopped = end.isManuallyStopped
    task.resultSequence = task.sequence
    task.owner = nil
    task.fence = fence &+ 1
    task.promptTokens = end.promptTokens
    task.completionTokens = end.completionTokens
    task.position = position
    return task
  }
}

extension TaskRow {
  /// The task as it stood, or stands, at some moment of a turn; what is not said is as it is before the end of one.
  package func standing(
    _ status: TaskStatus, internalStatus: String? = nil, isManuallyStopped: Bool = false, startedAt: Timestamp? = nil,
    finishedAt: Timestamp? = nil, promptTokens: Int64? = nil, completionTokens: Int64? = nil,
    updatedAt: Timestamp? = nil
  ) -> TaskRow {
    let task = TaskRow(self)
    if let updatedAt { task.updatedAt = updatedAt }
    task.status = status
    task.internalStatus = internalStatus
    task.isManuallyStopped = isManuallyStopped
    task.startedAt = startedAt
    task.finishedAt = finishedAt
    task.promptTokens = promptTokens
    task.completionTokens = completionTokens
    return task
  }

  /// The task as it stood behind one of its records, in that record's turn: as far as a further turn has to know it.
  package func standing(
    at sequence: Int64, turn: Int64, firstSequence: Int64, systemSequence: Int64?
  ) -> TaskRow {
    let task = TaskRow(self)
    task.turn = turn
    task.sequence = sequence
    task.firstSequence = firstSequence
    task.systemSequence = systemSequence
    return task
  }
}
