import CPlatform
import MusterSystem

/// A bounded pool of threads for requests that may wait. Threads come when they are needed and go when they were idle
/// for a while; who finds all of them busy is refused at once.
final class Workers: @unchecked Sendable {
  private let most: Int
  private let patienceMilliseconds: Int64
  private let work: @Sendable (OpaquePointer) -> Void
  private let finish: @Sendable (OpaquePointer) -> Void
  private let lock = Lock()
  private let changed = Condition()
  private var waiting: [OpaquePointer] = []
  /// How many threads have no job, those among them that are about to take one that waits.
  private var idle = 0
  private var threads: [Member] = []
  /// Threads that ended and were not joined yet.
  private var ended: [UInt64] = []
  private var isStopping = false

  /// A thread of the pool.
  private final class Member: @unchecked Sendable {
    let pool: Workers
    var thread: UInt64 = 0

    init(_ pool: Workers) { self.pool = pool }
  }

  /// `work` and then `finish` are run on a thread of the pool for each job. Once `finish` begins, the thread counts as one that
  /// is idle: whoever learns by it that the job is done finds room for the next one.
  init(
    most: Int, patienceMilliseconds: Int64 = 10_000, work: @escaping @Sendable (OpaquePointer) -> Void,
    finish: @escaping @Sendable (OpaquePointer) -> Void
  ) {
    self.most = most
    self.patienceMilliseconds = patienceMilliseconds
    self.work = work
    self.finish = finish
  }

  /// How many jobs are under way.
  var busy: Int { lock.withLock { threads.count - idle + waiting.count } }

  /// How many threads hold memory: those of the pool, and those that ended since the last one came.
  var kept: Int { lock.withLock { threads.count + ended.count } }

  /// Hands a job over; false when all threads are busy and no more may come.
  func submit(_ job: OpaquePointer) -> Bool {
    lock.lock()
    if waiting.count < idle {
      waiting.append(job)
      changed.signal()
      lock.unlock()
      return true
    }
    guard threads.count < most, !isStopping else {
      lock.unlock()
      return false
    }
    let gone = ended
    ended = []
    let isStarted = start()
    if isStarted { waiting.append(job) }
    lock.unlock()
    for thread in gone { platform_thread_join(thread) }
    return isStarted
  }

  /// Adds a thread; it looks at the pool when the lock is free.
  private func start() -> Bool {
    let member = Member(self)
    let pointer = Unmanaged.passRetained(member).toOpaque()
    let failure = platform_thread_start_joined(
      "muster-worker",
      { pointer in
        guard let pointer else { return }
        let member = Unmanaged<Member>.fromOpaque(pointer).takeRetainedValue()
        member.pool.run(member)
      }, pointer, &member.thread)
    guard failure == 0 else {
      Unmanaged<Member>.fromOpaque(pointer).release()
      return false
    }
    threads.append(member)
    idle += 1
    return true
  }

  private func run(_ member: Member) {
    lock.lock()
    while true {
      if let job = waiting.popLast() {
        idle -= 1
        lock.unlock()
        work(job)
        lock.withLock { idle += 1 }
        finish(job)
        lock.lock()
        continue
      }
      if isStopping { break }
      let isInTime = changed.wait(lock, until: .after(milliseconds: patienceMilliseconds))
      if !isInTime, waiting.isEmpty { break }
    }
    idle -= 1
    // When the pool stops, it has taken them all already.
    if let index = threads.firstIndex(where: { $0 === member }) {
      threads.remove(at: index)
      ended.append(member.thread)
    }
    lock.unlock()
  }

  /// Waits until every job has ended and every thread is gone.
  func stop() {
    lock.lock()
    isStopping = true
    changed.broadcast()
    let left = threads.map { $0.thread } + ended
    threads = []
    ended = []
    lock.unlock()
    for thread in left { platform_thread_join(thread) }
  }
}
