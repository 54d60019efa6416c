import CPlatform
import MusterSystem

/// Shows other processes that this one is alive: a lock on a byte that the kernel drops when the process dies.
final class Ownership: @unchecked Sendable {
  /// Where the bytes of owners begin in the lock file, behind those of the turnstile.
  private static let base: Int64 = 1024

  private let lock = Lock()
  /// Nil once closed.
  private var descriptor: Int32?

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { if let descriptor { _ = CPlatform.close(descriptor) } }

  /// Locks the byte of our own number. Called before the number can be seen by others.
  func claim(_ owner: Int64) throws(StoreError) {
    let failure = lock.withLock { descriptor.map { platform_description_lock($0, Ownership.base &+ owner) } ?? EBADF }
    guard failure == 0 else { throw .failed("the lock of the owner: \(StoreFile.errorText(failure))") }
  }

  /// Drops the lock: from now on our number is that of a dead process.
  func close() {
    lock.withLock {
      if let descriptor { _ = CPlatform.close(descriptor) }
      descriptor = nil
    }
  }

  /// Closes the descriptor that a forked child inherited: the lock is to end with the parent.
  func closeInherited() {
    guard lock.tryLock() else { return }
    defer { lock.unlock() }
    if let descriptor { _ = CPlatform.close(descriptor) }
    descriptor = nil
  }

  /// Whether another owner lives. When the kernel cannot tell, it is taken to live.
  func isAlive(_ owner: Int64) -> Bool {
    lock.withLock { descriptor.map { platform_description_is_held($0, Ownership.base &+ owner) != 0 } ?? true }
  }
}
