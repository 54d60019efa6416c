import MusterSystem

/// What turns make of a task's row: in memory, as the store then writes it.
extension TaskRow {
  /// A task with its first turn. Its key is known once it is stored.
  init(_ start: TurnStart, at position: Int64, owner: Int64) {
    let now = start.entry.time
    key = 0
    organizationID = start.organizationID
    id = start.taskID
    agentID = start.agentID
    createdAt = now
    updatedAt = now
    status = .executing
    isManuallyStopped = false
    startedAt = now
    turn = 1
    sequence = 1
    firstSequence = 1
    systemSequence = start.carriesSystemMessage ? 1 : nil
    self.owner = owner
    // A number that no earlier task with the same key and owner had: SQLite uses keys again.
    fence = position
    title = start.title
    userID = start.userID
    parentID = start.parentID
    triggeringAgentID = start.triggeringAgentID
    self.position = position
  }

  /// The task with a further turn.
  func beginning(_ start: TurnStart, at position: Int64, owner: Int64) -> TaskRow {
    var task = self
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
    var task = self
    task.sequence = sequence &+ 1
    return task
  }

  /// The task at the end of its turn, which `entry` is.
  func ending(_ end: TurnEnd, with entry: JournalEntry, at position: Int64) -> TaskRow {
    var task = self
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
