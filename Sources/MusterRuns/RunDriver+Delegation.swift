import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// Tasks above and below each other.
extension RunDriver {
  /// Which call of another task the latest turn of a task answers; nil: none.
  func delegated(_ task: TaskRow) throws(RunError) -> Delegated? {
    guard task.parentID != nil else { return nil }
    let record = try asStore { () throws(StoreError) in try store.record(task.firstSequence, of: task) }
    guard let record, case .began(let beginning) = try JournalCoding.event(record) else { return nil }
    return beginning.delegated
  }

  /// Whether a task was put aside and nobody of this process goes on with it.
  func isApart(_ id: String, in organization: String) throws(RunError) -> Bool {
    guard let task = try found(id, in: organization) else { return false }
    return task.owner == nil && !task.status.isFinal && !resumes.has(task)
  }

  /// The records of the turn of a sub-task that answers a call of another task; nil when there is none.
  func turn(of task: TaskRow, answering call: String) throws(RunError) -> [JournalRecord]? {
    guard let first = try beginning(of: task, answering: call) else { return nil }
    let known = task.standing(
      at: task.sequence, turn: first.turn, firstSequence: first.sequence, systemSequence: task.systemSequence)
    let records = try asStore { () throws(StoreError) in try store.recordsOfTurn(known) }
    return records.filter { $0.turn == first.turn }
  }

  /// The record with which that turn begins.
  func beginning(of task: TaskRow, answering call: String) throws(RunError) -> JournalRecord? {
    let first = try asStore { () throws(StoreError) in try store.beginning(with: call, of: task) }
    guard let first, case .began(let beginning) = try JournalCoding.event(first) else { return nil }
    return beginning.delegated?.call == call ? first : nil
  }

  /// Whether a turn of a task answers a call of another one.
  func answers(_ task: TaskRow, _ call: String) throws(RunError) -> Bool {
    try beginning(of: task, answering: call) != nil
  }

  /// Whether a sub-task is gone that was started before.
  func wasDeleted(_ order: SubtaskOrder) throws(RunError) -> Bool {
    let parent = order.parent
    if try asStore({ () throws(StoreError) in try store.wasDeleted(order.taskID, below: parent) }) { return true }
    guard let id = parent.forkedFrom, let source = try found(id, in: parent.organizationID) else { return false }
    return try asStore { () throws(StoreError) in try store.wasDeleted(order.taskID, below: source) }
  }

  /// Tasks that others waited for were deleted: goes on with those, if they were put aside.
  package func goOnAbove(deleted parents: [String], in organization: String) {
    do throws(RunError) {
      for parent in parents {
        try resume(parent, in: organization)
        let forks = try asStore { () throws(StoreError) in try store.parkedForks(of: parent, in: organization) }
        for fork in forks { try resume(fork, in: organization) }
      }
    } catch {
      log.write(.warning, "runs", "tasks whose sub-tasks were deleted are not gone on with: the store cannot be read")
    }
  }

  /// Whether a task that was put aside could do nothing but wait: a sub-task of it waits for a person, or for a tool.
  func waitsBelow(_ task: TaskRow, _ run: Run) throws(RunError) -> Bool {
    guard run.beginning?.team != nil, case .calling(let calls) = run.phase else { return false }
    var open: [String] = []
    for call in calls.requests.indices {
      if case .callTool? = calls.command(call) { open.append(calls.id(call)) }
    }
    let subtasks = try asStore { () throws(StoreError) in try store.subtasks(of: task.id, in: task.organizationID) }
    for subtask in subtasks where subtask.owner == nil && !subtask.status.isFinal {
      guard let call = try delegated(subtask)?.call, open.contains(call) else { continue }
      if subtask.status == .paused { return true }
      let below = try fold(subtask)
      if missingTool(below) != nil { return true }
      if try waitsBelow(subtask, below) { return true }
    }
    return false
  }

  /// A tool of the host that a run needs and that is not registered.
  func missingTool(_ run: Run) -> ToolDeclaration? {
    (run.beginning?.tools?.tools ?? []).first { $0.agent == nil && tools.spec($0.name) == nil }
  }

  /// A sub-task has ended: goes on with the task above it, if that waits for it and was put aside, and with those that go on
  /// from that task's call.
  func goOnAbove(_ task: TaskRow) {
    guard let parent = task.parentID, task.status.isFinal else { return }
    do throws(RunError) {
      guard try delegated(task) != nil else { return }
      try resume(parent, in: task.organizationID)
      let forks = try asStore { () throws(StoreError) in try store.parkedForks(of: parent, in: task.organizationID) }
      for fork in forks { try resume(fork, in: task.organizationID) }
    } catch {
      log.write(
        .warning, "runs", "task \(parent) is not gone on with: \(task.id) has ended, but the store cannot be read")
    }
  }

  /// A task was put aside until its sub-tasks end: goes on with it if one has ended meanwhile.
  func goOnIfEnded(_ subtasks: [String], of task: TaskRow) {
    do throws(RunError) {
      for id in subtasks {
        if let subtask = try found(id, in: task.organizationID), !subtask.status.isFinal { continue }
        return try resume(task.id, in: task.organizationID)
      }
    } catch {
      log.write(.warning, "runs", "task \(task.id) is not gone on with: the store cannot be read")
    }
  }

  /// Stops the sub-tasks that a task has started and that have not ended.
  func stopSubtasks(of task: TaskRow, because reason: StopReason) throws(RunError) {
    let subtasks = try asStore { () throws(StoreError) in try store.subtasks(of: task.id, in: task.organizationID) }
    for subtask in subtasks where !subtask.status.isFinal {
      if try delegated(subtask) != nil { _ = try stop(subtask.id, in: task.organizationID, because: reason) }
    }
  }
}
