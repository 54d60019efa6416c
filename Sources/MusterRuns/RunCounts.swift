package import MusterStore
import MusterSystem

/// Counts the runs of a plane since it was opened, for its metrics.
package final class RunCounts: @unchecked Sendable {
  /// What was counted up to a moment.
  package struct Values: Sendable {
    package var begun: Int64 = 0
    /// By the status with which they ended.
    package var ended: [(status: TaskStatus, count: Int64)] = TaskStatus.allCases.filter { $0.isFinal }.map { ($0, 0) }
    package var promptTokens: Int64 = 0
    package var completionTokens: Int64 = 0
  }

  private let lock = Lock()
  private var counted = Values()

  /// What was counted so far.
  package var values: Values { lock.withLock { counted } }

  func begin() { lock.withLock { counted.begun &+= 1 } }

  func end(_ status: TaskStatus) {
    lock.withLock {
      guard let index = counted.ended.firstIndex(where: { $0.status == status }) else { return }
      counted.ended[index].count &+= 1
    }
  }

  func add(promptTokens: Int64, completionTokens: Int64) {
    lock.withLock {
      counted.promptTokens &+= promptTokens
      counted.completionTokens &+= completionTokens
    }
  }
}
