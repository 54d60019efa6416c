import CPlatform
import MusterSystem

/// Where the writers of several processes queue for one store.
///
/// SQLite's own busy handler polls, and starved one of four processes 16 to 1. Here a writer first takes the byte
/// `next` and then the byte `writing` of a lock file: whoever has just written must stand behind the one that holds
/// `next`, and cannot overtake it. The locks are POSIX record locks: the kernel drops them with the process. Within a
/// process only the leader of a batch enters, so that the locks need no owner finer than the process.
final class Turnstile: @unchecked Sendable {
  private static let next: Int64 = 0
  private static let writing: Int64 = 1

  private let descriptor: Int32
  private let generation = platform_fork_generation()
  private let lock = Lock()
  private let changed = Condition()
  /// What the waiting thread is doing for us, if there is one.
  private var waiter = Waiter.none

  private enum Waiter {
    case none
    /// A thread waits in the kernel; the leader may have given up meanwhile.
    case waiting(wanted: Bool)
    /// It got the turn, and nobody has taken it over yet.
    case arrived
    case failed(Int32)
  }

  /// Opens the lock file beside a store.
  init(path: String) throws(StoreError) { descriptor = try ForkGuard.open(path) }

  /// Takes the turn; waits no longer than the deadline.
  func enter(until deadline: Deadline) throws(StoreError) {
    if try enterAtOnce() { return }
    lock.lock()
    defer { lock.unlock() }
    switch waiter {
    case .none:
      waiter = .waiting(wanted: true)
      let pointer = Unmanaged.passRetained(self).toOpaque()
      let failure = platform_thread_start(
        "muster-turn",
        { pointer in
          guard let pointer else { return }
          Unmanaged<Turnstile>.fromOpaque(pointer).takeRetainedValue().wait()
        }, pointer)
      if failure != 0 {
        Unmanaged<Turnstile>.fromOpaque(pointer).release()
        waiter = .none
        throw .failed("no thread to wait for other writers: \(StoreFile.errorText(failure))")
      }
    case .waiting: waiter = .waiting(wanted: true)
    case .arrived, .failed: break
    }
    while true {
      switch waiter {
      case .arrived:
        waiter = .none
        return
      case .failed(let number):
        waiter = .none
        throw .failed("waiting for other writers: \(StoreFile.errorText(number))")
      case .none, .waiting:
        if !changed.wait(lock, until: deadline), case .waiting = waiter {
          waiter = .waiting(wanted: false)
          throw .busy
        }
      }
    }
  }

  /// Gives the turn to the next writer.
  func leave() { _ = platform_record_unlock(descriptor, Turnstile.writing) }

  /// Takes the turn if nobody stands before us.
  private func enterAtOnce() throws(StoreError) -> Bool {
    // While a thread of ours waits in the kernel, this process holds its place through it.
    let isFree = lock.withLock { if case .none = waiter { true } else { false } }
    guard isFree, platform_record_lock(descriptor, Turnstile.next, false) == 0 else { return false }
    let got = platform_record_lock(descriptor, Turnstile.writing, false) == 0
    _ = platform_record_unlock(descriptor, Turnstile.next)
    return got
  }

  /// The waiting thread: record locks cannot be waited for with a time limit, so a thread waits without one.
  private func wait() {
    var failure = take(Turnstile.next)
    if failure == 0 {
      failure = take(Turnstile.writing)
      _ = platform_record_unlock(descriptor, Turnstile.next)
    }
    lock.withLock {
      if failure != 0 {
        waiter = .failed(failure)
      } else if case .waiting(wanted: true) = waiter {
        waiter = .arrived
      } else {
        waiter = .none
        leave()
      }
      changed.broadcast()
    }
  }

  /// Waits for a byte. The kernel refuses a wait that closes a circle of waiting processes; but with two stores in two
  /// processes the circle is none, because other threads hold the bytes and give them back. So it is asked again.
  private func take(_ byte: Int64) -> Int32 {
    while true {
      let failure = platform_record_lock(descriptor, byte, true)
      guard failure == EDEADLK else { return failure }
      usleep(1000)
    }
  }

  deinit { ForkGuard.close(descriptor: descriptor, generation: generation) }
}
