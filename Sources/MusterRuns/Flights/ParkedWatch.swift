import MusterStore
import MusterSystem

/// Notices that tasks which were put aside may go on: a person has decided in another process, or one has ended. It looks
/// every 250 ms, only while this process goes on with any, and reads only when somebody has committed.
final class ParkedWatch: PoolJob, @unchecked Sendable {
  private static let intervalMilliseconds: Int64 = 250

  private let store: Store
  private let pool: ThreadPool
  private let resumes: Resumes
  /// Goes on with what can. Set once, before anything is watched, and let go of when nothing is any more.
  var goOn: (() -> Void)?
  private let lock = Lock()
  private var isRunning = false
  /// Of the one run at a time.
  private var seen: Int64?

  init(store: Store, pool: ThreadPool, resumes: Resumes) {
    self.store = store
    self.pool = pool
    self.resumes = resumes
  }

  /// Has it look, from now on until there is nothing to look for. No other process sees a store in memory.
  func start() {
    if store.isInMemory { return }
    lock.withLock {
      if isRunning { return }
      isRunning = schedule()
    }
  }

  private func schedule() -> Bool {
    pool.schedule(self, at: .after(milliseconds: ParkedWatch.intervalMilliseconds)) != nil
  }

  func run() {
    let number: Int64?
    do throws(StoreError) { number = try store.changeNumber() } catch { number = nil }
    if number == nil || number != seen {
      seen = number
      goOn?()
    }
    lock.withLock {
      // Looked at under the lock: whoever comes now finds it running or starts it.
      isRunning = resumes.isWatching && schedule()
    }
  }
}
