package import MusterEngine
package import MusterJSON
package import MusterStore

/// A task with the texts of its latest turn and its sub-tasks, all of one moment.
package struct TaskSnapshot: Sendable {
  package let task: TaskRow
  /// The text of the result, a JSON string; nil when the turn has none.
  package let result: JSON?
  /// The direct sub-tasks, oldest first.
  package let subtasks: [Subtask]
  /// What it asks people, while it is paused.
  package private(set) var request: PersonRequest?

  /// What the run that ended the turn still knows; nil when the task was read from the store.
  private let known: Beginning?
  /// The record that began the turn.
  private let first: JournalRecord?

  /// A task as it stands in the store, with the record that began its latest turn and the one that holds the result.
  init(task: TaskRow, first: JournalRecord?, result: JournalRecord?, subtasks: [Subtask]) {
    self.task = task
    self.subtasks = subtasks
    self.first = first
    self.result = result.flatMap { JournalCoding.result($0) }
    known = nil
  }

  /// A task as its run has just put it aside until a person has decided.
  init(paused task: TaskRow, beginning: Beginning, request: PersonRequest?, subtasks: [Subtask]) {
    self.init(task: task, beginning: beginning, result: nil, subtasks: subtasks)
    self.request = request
  }

  /// The same with what it asks people.
  func asking(_ request: PersonRequest?) -> TaskSnapshot {
    var snapshot = self
    snapshot.request = request
    return snapshot
  }

  /// A task as its run has just ended it.
  init(task: TaskRow, beginning: Beginning, result: JSON?, subtasks: [Subtask]) {
    self.task = task
    self.subtasks = subtasks
    self.result = result
    known = beginning
    first = nil
  }

  /// What the turn began with. Fails when the journal cannot be read.
  package func beginning() throws(RunError) -> Beginning {
    if let known { return known }
    guard let first, case .began(let beginning) = try JournalCoding.event(first) else {
      throw .unreadable("task \(task.id) has no beginning")
    }
    return beginning
  }
}
