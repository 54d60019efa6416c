/// The states of a task. The numbers are what stores hold: never change one.
package enum TaskStatus: Int64, Sendable, CaseIterable {
  case pending = 1
  case executing = 2
  case paused = 3
  case error = 4
  case failed = 5
  case completed = 6
  case stopped = 7

  /// The word on the wire.
  package var word: String {
    switch self {
    case .pending: return "pending"
    case .executing: return "executing"
    case .paused: return "paused"
    case .error: return "error"
    case .failed: return "failed"
    case .completed: return "completed"
    case .stopped: return "stopped"
    }
  }

  package init?(word: String) {
    guard let status = TaskStatus.allCases.first(where: { $0.word == word }) else { return nil }
    self = status
  }

  /// Whether the task's turn has ended.
  package var isFinal: Bool {
    switch self {
    case .pending, .executing, .paused: return false
    case .error, .failed, .completed, .stopped: return true
    }
  }
}
