package import MusterEngine
package import MusterStore

/// A place in the journal of a task, from which another task can go on.
package struct ForkPoint: Sendable {
  package let task: TaskRow
  /// The record that it is behind.
  package let sequence: Int64
  /// The record that began its turn.
  let first: JournalRecord
  /// The turn as far as it had come.
  let run: Run
  /// What the turn began with.
  package let beginning: Beginning

  /// Whether the turn was over: then a further one begins.
  package var isEndOfTurn: Bool { if case .finished = run.phase { true } else { false } }

  /// The record that has the system message of the turn, in whatever words that begins.
  func systemSequence(of beginning: Beginning) -> Int64? {
    switch beginning.system {
    case .none: return nil
    case .text: return first.sequence
    case .record(let sequence): return sequence
    }
  }
}

/// What a fork changes beside its input.
package struct ForkChange: Sendable {
  /// Whether the request names another model, or provider.
  package let changesModel: Bool
  /// Whether the agent has other instructions.
  package let changesInstructions: Bool

  package init(changesModel: Bool, changesInstructions: Bool) {
    self.changesModel = changesModel
    self.changesInstructions = changesInstructions
  }
}
