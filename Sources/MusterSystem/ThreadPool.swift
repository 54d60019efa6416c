import CPlatform

/// Something for a thread of a `ThreadPool` to do. An object, so that handing it over allocates nothing.
package protocol PoolJob: AnyObject, Sendable {
  func run()
}

/// A small pool of threads: jobs are run in the order in which they came, and jobs with a time when that has come.
///
/// Threads come when they are needed, and all but the last go when they were idle for a while. Every function may be called from any
/// thread and returns at once, but `stop`.
package final class ThreadPool: @unchecked Sendable {
  private static let patienceMilliseconds: Int64 = 10_000

  private let name: StaticString
  private let most: Int
  private let lock = Lock()
  private let changed = Condition()
  private var jobs = Queue<any PoolJob>()
  private var timers = Timers()
  private var idle = 0
  private var threads: [Member] = []
  /// Threads that ended and were not joined yet.
  private var ended: [UInt64] = []
  private var isStopping = false

  private final class Member: @unchecked Sendable {
    let pool: ThreadPool
    var thread: UInt64 = 0

    init(_ pool: ThreadPool) { self.pool = pool }
  }

  /// `name`: of its threads, at most 15 bytes. `most`: how many threads there may be, at least 1.
  package init(name: StaticString, most: Int) {
    self.name = name
    self.most = max(most, 1)
  }

  /// How many jobs wait for a thread.
  package var waiting: Int { lock.withLock { jobs.count } }

  /// Whether it has a thread; one is made if need be. The last one stays until `stop`.
  package var isReady: Bool {
    lock.withLock { !isStopping && (!threads.isEmpty || start()) }
  }

  /// Hands a job over. False, and it is not run, when the pool stops or has no thread and gets none.
  package func submit(_ job: any PoolJob) -> Bool {
    lock.lock()
    guard !isStopping, hasThread(forOneMore: true) else {
      lock.unlock()
      return false
    }
    jobs.append(job)
    let gone = takeEnded()
    changed.signal()
    lock.unlock()
    for thread in gone { platform_thread_join(thread) }
    return true
  }

  /// Has a job run at a moment; gives the number with which that is called off. Nil as in `submit`.
  package func schedule(_ job: any PoolJob, at moment: Deadline) -> Int? {
    guard let nanoseconds = moment.nanoseconds else { return nil }
    return lock.withLock {
      guard !isStopping, hasThread(forOneMore: false) else { return nil }
      let (number, isNext) = timers.add(job, at: nanoseconds)
      // Somebody has to wait no longer than until then.
      if isNext { changed.signal() }
      return number
    }
  }

  /// Calls a scheduled job off; harmless when it has run.
  package func callOff(_ number: Int) {
    lock.withLock { timers.remove(number) }
  }

  /// Whether there is a thread for a job, which is made now if need be. Called with the lock held.
  private func hasThread(forOneMore isOneMore: Bool) -> Bool {
    let wanted = isOneMore ? jobs.count &+ 1 : 1
    if idle >= wanted || threads.count >= most { return true }
    if !isOneMore, !threads.isEmpty { return true }
    return start() || !threads.isEmpty
  }

  /// Adds a thread; it looks at the pool when the lock is free.
  private func start() -> Bool {
    let member = Member(self)
    let pointer = Unmanaged.passRetained(member).toOpaque()
    let name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    let failure = platform_thread_start_joined(
      name,
      { pointer in
        guard let pointer else { return }
        let member = Unmanaged<Member>.fromOpaque(pointer).takeRetainedValue()
        member.pool.work(member)
      }, pointer, &member.thread)
    guard failure == 0 else {
      Unmanaged<Member>.fromOpaque(pointer).release()
      return false
    }
    threads.append(member)
    idle += 1
    return true
  }

  private func work(_ member: Member) {
    lock.lock()
    while true {
      if !timers.isEmpty {
        for job in timers.takeDue(platform_clock_monotonic_nanoseconds()) { jobs.append(job) }
      }
      if let job = jobs.popFirst() {
        idle -= 1
        // Whoever else is idle takes the next one, should several have become due at once.
        if !jobs.isEmpty, idle > 0 { changed.signal() }
        lock.unlock()
        job.run()
        lock.lock()
        idle += 1
        continue
      }
      if isStopping { break }
      let patience = Deadline.after(milliseconds: ThreadPool.patienceMilliseconds)
      let isInTime = changed.wait(lock, until: patience.earlier(Deadline(nanoseconds: timers.next)))
      // The last thread stays: who was told that the pool is ready may rely on it.
      if !isInTime, jobs.isEmpty, patience.hasPassed, threads.count > 1 { break }
    }
    idle -= 1
    // When the pool stops, it has taken them all already.
    if let index = threads.firstIndex(where: { $0 === member }) {
      threads.remove(at: index)
      ended.append(member.thread)
    }
    lock.unlock()
  }

  /// Called with the lock held.
  private func takeEnded() -> [UInt64] {
    if ended.isEmpty { return [] }
    let gone = ended
    ended = []
    return gone
  }

  /// Calls off what is scheduled, and waits until every job has been run and every thread is gone. Not from a thread of
  /// the pool.
  package func stop() {
    lock.lock()
    isStopping = true
    timers = Timers()
    changed.broadcast()
    let left = threads.map { $0.thread } + takeEnded()
    threads = []
    lock.unlock()
    for thread in left { platform_thread_join(thread) }
  }
}
