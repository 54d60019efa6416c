import MusterStore
import MusterSystem

/// Reads the events of a task from its journal, a few records at a time.
final class JournalReading {
  /// What comes next.
  enum Next {
    case event(TaskEvent, key: Int64)
    /// The last one.
    case end(TaskEvent)
    /// The task is not there, or not any more.
    case gone
    /// Everything was read, and the task goes on.
    case running(TaskRow)
  }

  private static let recordsAtOnce: Int64 = 64

  private let driver: RunDriver
  private let organizationID: String
  private let taskID: String
  private var events = Queue<TaskEvent>()
  private var fold: TurnEvents?
  /// The last record that was folded.
  private var folded: Int64 = 0

  init(driver: RunDriver, organizationID: String, taskID: String) {
    self.driver = driver
    self.organizationID = organizationID
    self.taskID = taskID
  }

  /// What comes behind a place. `key`: of the task, once that is known. `lastTurn`: the turn to end with; nil: the last
  /// one of the task.
  func next(
    after place: EventPosition, key: Int64?, lastTurn: Int64?
  ) throws(RunError) -> Next {
    while true {
      if let event = events.popFirst() {
        if let taskKey { return .event(event, key: taskKey) }
      }
      // What was folded of the turn so far goes on without a gap, also if that is not as far yet as the place.
      let start = place.isWithinRecord ? place.sequence &- 1 : place.sequence
      let after = fold == nil ? start : folded
      let id = taskID
      let organization = organizationID
      let isContinued = fold != nil
      let found = try driver.asStore { () throws(StoreError) in
        try driver.store.progress(
          of: id, in: organization, after: after, isContinued: isContinued, limit: JournalReading.recordsAtOnce)
      }
      guard let found, key == nil || found.task.key == key else { return .gone }
      taskKey = found.task.key
      if let end = try take(found, place, lastTurn) {
        if events.isEmpty { return .end(end) }
        // What comes before the end is given first; then it is read again.
        fold = nil
        folded = 0
        continue
      }
      if !events.isEmpty { continue }
      let last = found.task.sequence
      if folded < last { continue }
      if !found.task.status.isFinal { return .running(found.task) }
      // Behind the end already: whoever follows gets it all the same.
      guard let end = try lastEvent(found.task) else { return .gone }
      return .end(end)
    }
  }

  private var taskKey: Int64?

  private func events(of task: TaskRow, _ subtasks: [Subtask]) -> TurnEvents {
    TurnEvents(task: task, subtasks: subtasks) { [driver] sequence throws(RunError) in
      try driver.toolList(sequence, of: task)
    }
  }

  /// Folds the records; gives the event that ends what is followed, if it is among them.
  private func take(
    _ found: TaskProgress, _ place: EventPosition, _ lastTurn: Int64?
  ) throws(RunError) -> TaskEvent? {
    for record in found.records {
      if fold == nil || JournalCoding.begins(record) {
        fold = events(of: found.task, found.subtasks)
      }
      guard var turn = fold else { continue }
      let made = try turn.take(record, from: place)
      fold = turn
      folded = record.sequence
      for event in made where JournalReading.isBehind(event, place) {
        let isLast =
          lastTurn.map { record.turn >= $0 }
          ?? (record.sequence == found.task.sequence && found.task.status.isFinal)
        if isLast, case .finished = event.content { return event }
        events.append(event)
      }
    }
    return nil
  }

  /// Whether who stands at the place has not had the event.
  private static func isBehind(_ event: TaskEvent, _ place: EventPosition) -> Bool {
    let position = event.position
    if position.sequence != place.sequence { return position.sequence > place.sequence }
    if place.isWithinRecord {
      return position.isWithinRecord ? position.offset > place.offset : true
    }
    if position.isWithinRecord { return false }
    guard let attempt = position.attempt else { return false }
    guard let known = place.attempt else { return true }
    return attempt == known && position.offset > place.offset
  }

  /// The event that ended the latest turn of a task.
  private func lastEvent(_ task: TaskRow) throws(RunError) -> TaskEvent? {
    let records = try driver.asStore { () throws(StoreError) in try driver.store.recordsOfTurn(task) }
    let id = task.id
    let organization = organizationID
    let subtasks = try driver.asStore { () throws(StoreError) in
      try driver.store.subtaskList(of: id, in: organization)
    }
    var turn = self.events(of: task, subtasks)
    var last: TaskEvent?
    for record in records { last = try turn.take(record, from: .start).last }
    return last
  }
}
