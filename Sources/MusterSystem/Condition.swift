import CPlatform

/// A condition variable on the monotonic clock, used with one `Lock`.
package final class Condition: @unchecked Sendable {
  private let condition: OpaquePointer

  package init() {
    guard let condition = platform_condition_new() else { outOfMemory() }
    self.condition = condition
  }

  deinit { platform_condition_free(condition) }

  package func signal() { platform_condition_signal(condition) }
  package func broadcast() { platform_condition_broadcast(condition) }

  /// Waits with `lock` released until signalled (spurious wake-ups happen). False when the deadline has passed.
  package func wait(_ lock: Lock, until deadline: Deadline = .never) -> Bool {
    // A negative number means without limit, to the platform.
    platform_condition_wait(condition, lock.mutex, deadline.nanoseconds.map { max($0, 0) } ?? -1)
  }
}
