import MusterEngine
import MusterStore
import MusterSystem

/// Who reads what a follower has.
package protocol FollowerOwner: AnyObject, Sendable {
  /// There may be more. From any thread, under locks: brief, and without coming back to the follower.
  func mayHaveMore()
}

/// Follows one task: a place in its events, and nothing that grows with how slow its reader is. It gives the past from
/// the journal, then what is present of the open attempt, then what comes, and at last the end.
package final class Follower: @unchecked Sendable {
  private enum Source {
    /// The turn has not begun.
    case nothing
    case live(LiveTurn)
    case journal
    /// As in `journal`, when it was read to its end: somebody else goes on writing it.
    case polled
    case failed(RunError)
    case ended
  }

  private let lock = Lock()
  private let driver: RunDriver
  private let organizationID: String
  private var taskID: String
  private var owner: (any FollowerOwner)?
  private var source: Source
  private var place: EventPosition
  /// Whether it belongs to who submitted the run: it ends with that turn.
  private let isSubmitter: Bool
  /// Of the task that is followed: one that is made later with the same id is another one.
  private var taskKey: Int64?
  /// The turn that it ends with; nil: the last one.
  private var turn: Int64?
  private var reading: JournalReading?
  /// Among those that are polled, once it was one of them. The feed's.
  var number = 0

  /// Follows a run that is about to begin.
  init(driver: RunDriver, organizationID: String, taskID: String) {
    self.driver = driver
    self.organizationID = organizationID
    self.taskID = taskID
    place = .start
    source = .nothing
    isSubmitter = true
  }

  /// Follows a task from a place on.
  init(driver: RunDriver, organizationID: String, taskID: String, after place: EventPosition) {
    self.driver = driver
    self.organizationID = organizationID
    self.taskID = taskID
    self.place = place
    source = .journal
    isSubmitter = false
  }

  /// Says who is to be told; they are told at once.
  package func setOwner(_ owner: any FollowerOwner) {
    lock.withLock { self.owner = owner }
    owner.mayHaveMore()
  }

  /// The turn has begun that it waited for.
  package func begin(_ turn: LiveTurn) {
    lock.withLock {
      guard case .nothing = source else { return }
      let task = turn.taskRow
      source = .live(turn)
      taskID = task.id
      taskKey = task.key
      self.turn = task.turn
      place = EventPosition(sequence: task.firstSequence &- 1)
    }
    turn.add(self)
    tellOwner()
  }

  /// Follows a turn that another call has begun.
  package func begin(turn: Int64, of taskID: String) {
    lock.withLock {
      guard case .nothing = source else { return }
      self.taskID = taskID
      self.turn = turn
      source = .journal
    }
    tellOwner()
  }

  /// The turn that it waited for does not begin.
  package func fail(_ error: RunError) {
    lock.withLock { if case .nothing = source { source = .failed(error) } }
    tellOwner()
  }

  /// Its plane is being closed, and the turn goes on elsewhere or later.
  func endWithPlane() {
    lock.withLock { if case .polled = source { source = .failed(.interrupted(.closing, taskID: taskID)) } }
    tellOwner()
  }

  /// Ends it: nothing comes any more, and nobody is told. The run goes on.
  package func close() {
    let live = lock.withLock { () -> LiveTurn? in
      defer { source = .ended }
      owner = nil
      if case .live(let turn) = source { return turn }
      return nil
    }
    live?.remove(self)
    driver.feed.stopPolling(self)
  }

  /// Called from any thread, also under the lock of a turn.
  func tellOwner() {
    // The owner is set before anything is followed, or tells itself.
    let owner = lock.withLock { self.owner }
    owner?.mayHaveMore()
  }

  // MARK: - Reading

  /// The next item; nil: nothing now. It may read the store, and waits for nobody. One thread at a time.
  package func next() -> FollowerItem? {
    while true {
      let (source, place) = lock.withLock { (self.source, self.place) }
      switch source {
      case .nothing, .ended: return nil
      case .failed(let error): return end(.failed(error))
      case .live(let turn):
        switch turn.next(after: place, isOwner: isSubmitter) {
        case .event(let event): return give(event)
        case .end(let end): return self.end(end)
        case .nothing: return nil
        case .inJournal:
          turn.remove(self)
          set(.journal)
        }
      case .journal, .polled:
        do throws(RunError) {
          if let item = try readJournal() { return item }
        } catch {
          return end(.failed(error))
        }
        // It may have found a turn that runs here.
        if case .live = lock.withLock({ self.source }) { continue }
        return nil
      }
    }
  }

  private func set(_ source: Source) {
    lock.withLock { if case .ended = self.source {} else { self.source = source } }
  }

  private func give(_ event: TaskEvent) -> FollowerItem {
    lock.withLock { place = event.position }
    return .event(event)
  }

  private func end(_ end: FollowerEnd) -> FollowerItem {
    close()
    return .end(end)
  }

  /// That a task is paused; nil when it is not any more.
  private func pause(_ task: TaskRow) throws(RunError) -> TaskEvent? {
    guard let snapshot = try driver.snapshot(task.id, in: task.organizationID), snapshot.task.status == .paused else {
      return nil
    }
    let position = EventPosition(sequence: snapshot.task.sequence)
    return TurnEvents.event(.updated(snapshot), of: snapshot.task, at: position, time: snapshot.task.updatedAt)
  }

  /// The next item from the journal; nil when it has no more for now, or when the turn runs here.
  private func readJournal() throws(RunError) -> FollowerItem? {
    let reading = self.reading ?? JournalReading(driver: driver, organizationID: organizationID, taskID: taskID)
    self.reading = nil
    switch try reading.next(after: place, key: taskKey, lastTurn: turn) {
    case .event(let event, let key):
      taskKey = key
      self.reading = reading
      // That it waits for a person is the last that its submitter is told, and comes as that.
      if isSubmitter, case .updated(let snapshot) = event.content, snapshot.task.status == .paused {
        lock.withLock { place = event.position }
        return try readJournal()
      }
      return give(event)
    case .end(let event): return end(.finished(event, cause: nil))
    case .gone: throw .deleted
    case .running(let task):
      taskKey = task.key
      // Who submitted the run waits for no person.
      if isSubmitter, task.status == .paused, let event = try pause(task) { return end(.finished(event, cause: nil)) }
      if let live = driver.feed.turn(organizationID, taskID), live.taskRow.key == task.key,
        live.taskRow.firstSequence <= task.sequence &+ 1
      {
        set(.live(live))
        live.add(self)
        return nil
      }
      set(.polled)
      driver.feed.poll(self)
      return nil
    }
  }
}
