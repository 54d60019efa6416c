import CCurl
import CPlatform
package import MusterSystem

/// Gets requests and servers out of the way before the process ends.
///
/// `exit` lets threads run on while OpenSSL takes itself apart in a handler of its own; a thread that is in TLS then
/// crashes the process. The one exit handler of the library runs before that one, because it is registered after
/// OpenSSL was initialised: it interrupts what is under way, keeps new requests out, and waits until none is left.
package enum ProcessExit {
  /// The longest that the end of a process may wait.
  private static let patienceMilliseconds: Int64 = 5_000

  private final class Table: @unchecked Sendable {
    let lock = Lock()
    /// Signalled when a request has left while the process ends.
    var left = Condition()
    var isEnding = false
    var inside: [Int: Interrupt?] = [:]
    var lastNumber = 0
    var generation = platform_fork_generation()

    init() { lock.keepThroughForks() }

    /// A forked child has none of the threads that are inside here. Called with the lock held.
    func leaveParent() {
      guard generation != platform_fork_generation() else { return }
      generation = platform_fork_generation()
      // Never freed: to destroy a condition would wait for threads that are not in this process.
      _ = Unmanaged.passRetained(left)
      left = Condition()
      inside = [:]
      isEnding = false
    }
  }

  private static let table = Table()
  private static let isWatched: Bool = atexit { ProcessExit.end() } == 0

  /// Registers the handler, once. Called when libcurl was loaded, which has initialised OpenSSL. False when there is no
  /// memory.
  static func watch() -> Bool { isWatched }

  private static let isWatchedForServers: Bool = atexit { ProcessExit.end() } == 0

  /// Registers the handler for servers, once: they may come before libcurl, and OpenSSL's own handler with that. It does
  /// not matter that it is called twice then. False when there is no memory.
  package static func watchServers() -> Bool { isWatchedForServers }

  /// Counts a thread that uses libcurl, or that serves, until it calls `leave` with the number. `interrupt` is fired when the process
  /// ends. Nil when it ends already: then TLS must not be touched any more.
  package static func enter(_ interrupt: Interrupt?) -> Int? {
    table.lock.withLock {
      table.leaveParent()
      guard !table.isEnding else { return nil }
      table.lastNumber &+= 1
      table.inside[table.lastNumber] = .some(interrupt)
      return table.lastNumber
    }
  }

  package static func leave(_ number: Int) {
    ccurl_leave_thread()
    table.lock.withLock {
      table.inside[number] = nil
      if table.isEnding { table.left.broadcast() }
    }
  }

  private static func end() {
    let running = table.lock.withLock { () -> [Interrupt] in
      table.leaveParent()
      table.isEnding = true
      return table.inside.compactMap { $0.value }
    }
    for interrupt in running { interrupt.fire(.closing) }
    let deadline = Deadline.after(milliseconds: patienceMilliseconds)
    table.lock.withLock {
      while !table.inside.isEmpty, table.left.wait(table.lock, until: deadline) {}
    }
  }
}
