import Foundation
import MusterJSON
import MusterTools

/// Gathers the results of calls.
final class Results: ToolListener, @unchecked Sendable {
  private let condition = NSCondition()
  private var all: [ToolResult] = []
  private let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void = {}) { self.body = body }

  func returned(_ result: ToolResult) {
    condition.withLock {
      all.append(result)
      condition.broadcast()
    }
    body()
  }

  var count: Int { condition.withLock { all.count } }

  /// The first result; nil after ten seconds.
  func first() -> ToolResult? {
    let end = Date().addingTimeInterval(10)
    return condition.withLock {
      while all.isEmpty { if !condition.wait(until: end) { return nil } }
      return all.first
    }
  }

  /// The text of the first result, which is a string.
  var text: String? { first()?.content.string }
}

/// A door that opens once.
final class Door: @unchecked Sendable {
  private let condition = NSCondition()
  private var isOpen = false

  func open() {
    condition.withLock {
      isOpen = true
      condition.broadcast()
    }
  }

  /// Waits until it is open, at most ten seconds.
  func pass() {
    let end = Date().addingTimeInterval(10)
    condition.withLock { while !isOpen { if !condition.wait(until: end) { return } } }
  }
}
