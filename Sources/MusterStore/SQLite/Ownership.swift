import CPlatform
import MusterSystem

/// Shows other processes that this one is alive: a lock on a byte that the kernel drops when the process dies.
final class Ownership: @unchecked Sendable {
  /// Where the bytes of owners begin in the lock file, behind those of the turnstile.
  private static let base: Int64 = 1024

  private let lock = Lock()
  /// Nil once closed.
  private var descriptor: Int32?
  private let generation = platform_fork_generation()

  /// Opens the lock file beside a store.
  init(path: String) throws(StoreError) { descriptor = try ForkGuard.open(path) }

  deinit { close() }

  /// Locks the byte of our own number. Called before the number can be seen by others.
  func claim(_ owner: Int64) throws(StoreError) {
    let failure = lock.withLock { descriptor.map { platform_description_lock($0, Ownership.base &+ owner) } ?? EBADF }
    guard failure == 0 else { throw .failed("the lock of the owner: \(StoreFile.errorText(failure))") }
  }

  /// Drops the lock: from now on our number is that of a dead process.
  func close() {
    let closing = lock.withLock { () -> Int32? in
      defer { descriptor = nil }
      return descriptor
    }
    if let closing { ForkGuard.close(descriptor: closing, generation: generation) }
  }

  /// Whether another owner lives. When the kernel cannot tell, it is taken to live.
  func isAlive(_ owner: Int64) -> Bool {
    lock.withLock { descriptor.map { platform_description_is_held($0, Ownership.base &+ owner) != 0 } ?? true }
  }
}
