import MusterEngine
import MusterJSON
package import MusterStore
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

  /// The id of the call of another task that the latest turn of a task answers; nil when there is none, or it cannot be read.
  package func answeredCall(of task: TaskRow) -> String? {
    do throws(RunError) { return try delegated(task)?.call } catch { return nil }
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
    for parent in try lineage(order.parent) {
      if try asStore({ () throws(StoreError) in try store.wasDeleted(order.taskID, below: parent) }) { return true }
    }
    return false
  }

  /// A task, the one that it was forked from, the one that that was forked from, and so on.
  func lineage(_ task: TaskRow) throws(RunError) -> [TaskRow] {
    var lineage = [task]
    // Ids can be used again: it must come to an end all the same.
    while lineage.count < 64, let id = lineage.last?.forkedFrom, let source = try found(id, in: task.organizationID) {
      lineage.append(source)
    }
    return lineage
  }

  /// Goes on with a task that was put aside, and with those that were forked from it: they wait for the same calls.
  private func goOnWithForks(_ id: String, in organization: String) throws(RunError) {
    var open = [id]
    var seen: Set<String> = [id]
    while let next = open.popLast() {
      try resume(next, in: organization)
      let forks = try asStore { () throws(StoreError) in try store.forks(of: next, in: organization) }
      for fork in forks where seen.insert(fork).inserted { open.append(fork) }
    }
  }

  /// Tasks that others waited for were deleted: goes on with those, if they were put aside.
  package func goOnAbove(deleted parents: [String], in organization: String) {
    do throws(RunError) {
      for parent in parents { try goOnWithForks(parent, in: organization) }
    } catch {
      log.write(.warning, "runs", "tasks whose sub-tasks were deleted are not gone on with: the store cannot be read")
    }
  }

  /// Whether a task that was put aside could do nothing but wait: a sub-task of it, or of the one that it was forked from,
  /// waits for a person, for a tool, or for a place.
  func waitsBelow(_ task: TaskRow, _ run: Run) throws(RunError) -> Bool {
    guard run.beginning?.team != nil, case .calling(let calls) = run.phase else { return false }
    var open: [String] = []
    for call in calls.requests.indices {
      if case .callTool? = calls.command(call) { open.append(calls.id(call)) }
    }
    if open.isEmpty { return false }
    for parent in try lineage(task) {
      let subtasks = try asStore { () throws(StoreError) in
        try store.subtasks(of: parent.id, in: parent.organizationID)
      }
      if try waits(for: subtasks, answering: open) { return true }
    }
    return false
  }

  private func waits(for subtasks: [TaskRow], answering open: [String]) throws(RunError) -> Bool {
    for subtask in subtasks where subtask.owner == nil && !subtask.status.isFinal {
      guard let call = try delegated(subtask)?.call, open.contains(call) else { continue }
      if subtask.status == .paused || resumes.lacksPlace(subtask) { return true }
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
      try goOnWithForks(parent, in: task.organizationID)
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
