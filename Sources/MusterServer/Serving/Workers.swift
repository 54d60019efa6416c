import CPlatform
import MusterSystem

/// A bounded pool of threads for requests that may wait. Threads come when they are needed and go when they were idle
/// for a while; who finds all of them busy is refused at once.
final class Workers: @unchecked Sendable {
  private static let patienceMilliseconds: Int64 = 10_000

  private let most: Int
  private let body: @Sendable (OpaquePointer) -> Void
  private let lock = Lock()
  private let changed = Condition()
  private var waiting: [OpaquePointer] = []
  private var idle = 0
  private var threads: [UInt64] = []
  private var count = 0
  private var ended: [UInt64] = []
  private var isStopping = false

  /// `body` is run on a thread of the pool for each job.
  init(most: Int, body: @escaping @Sendable (OpaquePointer) -> Void) {
    self.most = most
    self.body = body
  }

  /// How many jobs are under way.
  var busy: Int { lock.withLock { count - idle + waiting.count } }

  /// Hands a job over; false when all threads are busy and no more may come.
  func submit(_ job: OpaquePointer) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    if waiting.count < idle {
      waiting.append(job)
      changed.signal()
      return true
    }
    guard count < most, !isStopping else { return false }
    waiting.append(job)
    count += 1
    let pointer = Unmanaged.passRetained(self).toOpaque()
    var thread: UInt64 = 0
    let failure = platform_thread_start_joined(
      "muster-worker",
      { pointer in
        guard let pointer else { return }
        Unmanaged<Workers>.fromOpaque(pointer).takeRetainedValue().run()
      }, pointer, &thread)
    if failure != 0 {
      Unmanaged<Workers>.fromOpaque(pointer).release()
      count -= 1
      _ = waiting.popLast()
      return false
    }
    threads.append(thread)
    return true
  }

  private func run() {
    lock.lock()
    while true {
      if let job = waiting.popLast() {
        lock.unlock()
        body(job)
        lock.lock()
        continue
      }
      if isStopping { break }
      idle += 1
      let isInTime = changed.wait(lock, until: .after(milliseconds: Workers.patienceMilliseconds))
      idle -= 1
      if !isInTime, waiting.isEmpty { break }
    }
    count -= 1
    lock.unlock()
  }

  /// Waits until every job has ended and every thread is gone.
  func stop() {
    lock.lock()
    isStopping = true
    changed.broadcast()
    let threads = self.threads
    self.threads = []
    lock.unlock()
    for thread in threads { platform_thread_join(thread) }
  }
}
