package import MusterSystem

/// A sub-task as its parent shows it.
package struct Subtask: Sendable {
  package let id: String
  package let status: TaskStatus
  package let createdAt: Timestamp
  package let finishedAt: Timestamp?

  /// How it stood at a moment, as far as that is known; nil when it was not there. `isLatest`: nothing can have begun in it
  /// since but what is seen of it.
  package func standing(at time: Timestamp, isLatest: Bool) -> Subtask? {
    if createdAt > time { return nil }
    if isLatest || status.isFinal && finishedAt.map({ $0 <= time }) ?? true { return self }
    // What was started for a turn ends with it at the latest, and may have begun anew.
    return Subtask(id: id, status: .completed, createdAt: createdAt, finishedAt: time)
  }
}
