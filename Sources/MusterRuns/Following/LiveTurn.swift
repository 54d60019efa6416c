import MusterEngine
package import MusterStore
import MusterSystem

/// The present of a turn that this process runs: what its followers share. Its past is in the journal.
package final class LiveTurn: @unchecked Sendable {
  private let lock = Lock()
  /// The task as the turn began.
  private let task: TaskRow
  /// Further records and their times, for the most part none; what some of them say is read from the journal.
  private var records: [(sequence: Int64, time: Timestamp, isInJournal: Bool)] = []
  /// The text of the attempt that is open behind the last record.
  private var text: [UInt8] = []
  private var attempt: Int64?
  /// How much of the text followers get to see, while somebody ends the turn with that; nil: all.
  private var limit: Int?
  private var end: End?
  private var followers: [Follower] = []

  private enum End {
    case finished(TaskSnapshot, cause: RunError?)
    /// The journal tells it.
    case inJournal
    case failed(RunError)
  }

  init(task: TaskRow, beginning: Beginning) {
    self.task = task
    self.beginning = beginning
  }

  /// The task, as the turn began.
  package var taskRow: TaskRow { task }

  /// What it began with.
  let beginning: Beginning

  /// The task as it was accepted.
  package var accepted: TaskSnapshot {
    TaskSnapshot(task: task.standing(.pending), beginning: beginning, result: nil, subtasks: [])
  }

  private var lastSequence: Int64 { records.last?.sequence ?? task.firstSequence }

  // MARK: - What the run tells

  /// An attempt begins: the text of the one before counts no more.
  func beginAttempt(_ number: Int64) {
    lock.withLock {
      attempt = number
      limit = nil
      text.removeAll(keepingCapacity: false)
    }
  }

  /// Some text of the attempt has come.
  func hear(_ bytes: [UInt8], attempt number: Int64, after sequence: Int64) {
    lock.withLock {
      guard attempt == number, lastSequence == sequence, end == nil else { return }
      text.append(contentsOf: bytes)
      tellFollowers()
    }
  }

  /// The text that has come so far of the open attempt.
  var textSoFar: [UInt8] { lock.withLock { attempt == nil ? [] : text } }

  /// The same, for who is about to end the turn with it: followers see no more of it, unless `unfreeze` says that the turn
  /// goes on.
  func freeze() -> [UInt8] {
    lock.withLock {
      if attempt == nil { return [] }
      let shown = min(limit ?? text.count, text.count)
      limit = shown
      return shown == text.count ? text : Array(text[..<shown])
    }
  }

  func unfreeze() {
    lock.withLock {
      limit = nil
      tellFollowers()
    }
  }

  /// A record was written that does not end the turn.
  func recorded(_ sequence: Int64, at time: Timestamp, isInJournal: Bool) {
    lock.withLock {
      records.append((sequence, time, isInJournal))
      attempt = nil
      limit = nil
      text.removeAll(keepingCapacity: false)
      tellFollowers()
    }
  }

  /// The turn has ended, with the last record of it.
  func finish(_ snapshot: TaskSnapshot, cause: RunError?) { close(.finished(snapshot, cause: cause)) }

  /// Somebody else ended the turn: the journal tells how.
  func leaveToJournal() { close(.inJournal) }

  func fail(_ error: RunError) { close(.failed(error)) }

  private func close(_ how: End) {
    lock.withLock {
      guard end == nil else { return }
      end = how
      tellFollowers()
      followers = []
    }
  }

  /// Called with the lock held: a follower's owner is told under it.
  private func tellFollowers() {
    for follower in followers { follower.tellOwner() }
  }

  // MARK: - What followers ask

  /// Lets a follower hear of what comes. It is asked to look right away by whoever called this.
  func add(_ follower: Follower) {
    lock.withLock { if end == nil { followers.append(follower) } }
  }

  func remove(_ follower: Follower) {
    lock.withLock { followers.removeAll { $0 === follower } }
  }

  enum Next {
    case event(TaskEvent)
    case end(FollowerEnd)
    /// The journal has it.
    case inJournal
    case nothing
  }

  /// What comes behind a place. `isOwner`: for who submitted the run.
  func next(after place: EventPosition, isOwner: Bool) -> Next {
    lock.withLock {
      if place.sequence < task.firstSequence &- 1 { return .inJournal }
      if place.sequence < task.firstSequence {
        return .event(TurnEvents.beginning(of: task, beginning, sequence: task.firstSequence, time: startedAt)[0])
      }
      if place.sequence == task.firstSequence, place.attempt == nil {
        return .event(TurnEvents.beginning(of: task, beginning, sequence: task.firstSequence, time: startedAt)[1])
      }
      if place.isWithinRecord { return .inJournal }
      if let attempt, place.sequence == lastSequence {
        let offset = place.attempt == attempt ? place.offset : 0
        let shown = limit.map { Array(text[..<min($0, text.count)]) } ?? text
        let tail = TurnEvents.tail(of: shown, from: offset)
        if !tail.isEmpty {
          let position = EventPosition(sequence: lastSequence, attempt: attempt, offset: Int64(shown.count))
          return .event(TurnEvents.event(.chunk(tail), of: task, at: position, time: .now()))
        }
      }
      if let record = records.first(where: { $0.sequence > place.sequence }) {
        if record.isInJournal { return .inJournal }
        return .event(
          TurnEvents.update(
            of: task, beginning, at: EventPosition(sequence: record.sequence), startedAt: startedAt, time: record.time))
      }
      switch end {
      case nil: return .nothing
      case .inJournal: return .inJournal
      case .failed(let error): return .end(.failed(error))
      case .finished(let snapshot, let cause):
        // Whoever did not submit the run follows it beyond a pause.
        if !isOwner, !snapshot.task.status.isFinal { return .inJournal }
        // That it was put aside is no event of its journal: who goes on behind it misses nothing and gets nothing twice.
        let position = snapshot.task.status.isFinal ? EventPosition(sequence: snapshot.task.sequence) : place
        let event = TurnEvents.event(
          snapshot.task.status.isFinal ? .finished(snapshot) : .updated(snapshot), of: task, at: position,
          time: snapshot.task.updatedAt)
        return .end(.finished(event, cause: isOwner ? cause : nil))
      }
    }
  }

  private var startedAt: Timestamp { task.startedAt ?? task.updatedAt }
}
