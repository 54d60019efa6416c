import CPlatform

/// Shows other processes that this one is alive: a lock on a byte that the kernel drops when the process dies.
final class Ownership {
  /// Where the bytes of owners begin in the lock file, behind those of the turnstile.
  private static let base: Int64 = 1024

  private let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Locks the byte of our own number. Called before the number can be seen by others.
  func claim(_ owner: Int64) throws(StoreError) {
    let failure = platform_description_lock(descriptor, Ownership.base &+ owner)
    guard failure == 0 else { throw .failed("the lock of the owner: \(StoreFile.errorText(failure))") }
  }

  func release(_ owner: Int64) { _ = platform_description_unlock(descriptor, Ownership.base &+ owner) }

  /// Whether another owner lives. When the kernel cannot tell, it is taken to live.
  func isAlive(_ owner: Int64) -> Bool { platform_description_is_held(descriptor, Ownership.base &+ owner) != 0 }
}
