import MusterSystem

/// Some changes that are made in one transaction, or not at all. It can be run again when its transaction was lost, so
/// it must not change memory that outlives a run before it is committed.
final class WriteJob {
  enum State {
    case waiting
    /// Its caller is to lead the next batch.
    case leader
    case done(StoreError?)
  }

  /// Whether the caller is owed that the change survives a power cut.
  let isOwed: Bool
  let body: (Database) throws(StoreError) -> Void
  /// Until when it may wait for other processes.
  let deadline: Deadline
  var state = State.waiting
  /// What its caller waits on, once it does.
  var condition: Condition?

  var isLeader: Bool { if case .leader = state { true } else { false } }

  init(isOwed: Bool, deadline: Deadline, _ body: @escaping (Database) throws(StoreError) -> Void) {
    self.isOwed = isOwed
    self.deadline = deadline
    self.body = body
  }
}
