import CPlatform

/// Marks code that takes locks of other libraries (SQLite, OpenSSL).
///
/// A fork of the process waits until no thread is inside, so that the child finds those locks free. Whoever is inside
/// must not wait for a thread that is about to enter: locks are taken before, never inside.
package enum Inside {
  /// Runs `body` inside; may be nested.
  package static func run<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    platform_inside_enter()
    defer { platform_inside_leave() }
    return try body()
  }

  /// Runs `body` outside, however deep this thread is inside: for a callback that may wait, or come to the host.
  package static func stepOut<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    let depth = platform_inside_suspend()
    defer { platform_inside_resume(depth) }
    return try body()
  }

  /// Steps out for a while, however deep this thread is inside: a fork does not wait for a long wait.
  package static func sleepOutside(microseconds: UInt32) {
    let depth = platform_inside_suspend()
    _ = usleep(microseconds)
    platform_inside_resume(depth)
  }
}
