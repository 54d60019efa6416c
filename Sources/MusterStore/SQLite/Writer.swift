import CSQLite
import MusterSystem

/// The one writing connection of a store in this process, shared by group commit.
///
/// The caller that finds it idle leads a batch; the others ride, each in a savepoint of its own, and share its sync to
/// disk. About 20,000 durable commits a second from 64 callers that way; 900 with a connection each.
final class Writer: @unchecked Sendable {
  private static let largestBatch = 256

  /// Nil once closed. Used under `connectionLock`.
  private var database: Database?
  /// Nil for a store in memory, and once closed.
  private var turnstile: Turnstile?
  private let isInMemory: Bool
  /// Held while the connection works. A store in memory reads through the same connection.
  private let connectionLock = Lock()

  private let lock = Lock()
  /// Signalled when there is no leader any more.
  private let idle = Condition()
  private var queue: [WriteJob] = []
  private var hasLeader = false
  /// Why nothing is written any more.
  private var refusal: StoreError?
  private var busyTimeoutMilliseconds: Int64
  /// What `PRAGMA synchronous` was last set to.
  private var isFullySynchronous: Bool?
  /// As the last commit left them. Used under `connectionLock`.
  private var positions = PositionRange()
  private var counted = WriteCounts()

  init(database: Database, turnstile: Turnstile?, busyTimeoutMilliseconds: Int64) {
    database.watchCheckpoints()
    self.database = database
    self.turnstile = turnstile
    isInMemory = turnstile == nil
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
  }

  /// What was written so far.
  var counts: WriteCounts { lock.withLock { counted } }

  /// Planes that share a store may wait as long as the most patient of them.
  func raiseBusyTimeout(to milliseconds: Int64) {
    lock.withLock { busyTimeoutMilliseconds = max(busyTimeoutMilliseconds, milliseconds) }
  }

  /// Runs `body` in a transaction, and returns when it is committed. It waits for other processes no longer than the
  /// store's busy timeout, and than `patienceMilliseconds`.
  func perform(
    owed: Bool, patienceMilliseconds: Int64 = .max, _ body: @escaping (Database) throws(StoreError) -> Void
  ) throws(StoreError) {
    lock.lock()
    let job = WriteJob(
      isOwed: owed, deadline: .after(milliseconds: min(busyTimeoutMilliseconds, patienceMilliseconds)), body)
    queue.append(job)
    if hasLeader {
      let condition = Condition()
      job.condition = condition
      waiting: while true {
        if case .waiting = job.state { _ = condition.wait(lock) } else { break waiting }
      }
    } else {
      hasLeader = true
      job.state = .leader
    }
    if case .leader = job.state { lead(until: job.deadline) }
    let state = job.state
    lock.unlock()
    if case .done(let error?) = state { throw error }
  }

  /// Uses the connection for reading: of a store in memory, and for what only this connection can tell.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    try connectionLock.withLock { () throws(StoreError) -> Value in
      guard let database else { throw .closed }
      return try Inside.run { () throws(StoreError) -> Value in try body(database) }
    }
  }

  /// Waits for the jobs that are under way, and closes the connection; later jobs answer `closed`.
  func close() {
    lock.withLock {
      refusal = .closed
      while hasLeader { _ = idle.wait(lock) }
    }
    connectionLock.withLock {
      database = nil
      turnstile = nil
    }
  }

  // MARK: - Leading

  /// Commits the front of the queue and hands over. Called, and returns, with the lock held.
  private func lead(until deadline: Deadline) {
    var failure = refusal
    let isRefused = failure != nil
    lock.unlock()
    if failure == nil {
      do throws(StoreError) { try turnstile?.enter(until: deadline) } catch { failure = error }
    }
    lock.lock()
    if let failure {
      // The leader has waited long enough, and with it all who came before it or have less patience; the others go on.
      let ended = queue.filter { isRefused || $0.isLeader || $0.deadline.hasPassed }
      queue.removeAll { job in ended.contains { $0 === job } }
      for job in ended { finish(job, failure) }
    } else {
      // Taken only now: those who came while the leader waited for its turn ride along.
      let batch = Array(queue.prefix(Writer.largestBatch))
      queue.removeFirst(batch.count)
      lock.unlock()
      let errors = commit(batch, until: deadline)
      turnstile?.leave()
      lock.lock()
      var written: Int64 = 0
      var isSynced = false
      for (job, error) in zip(batch, errors) {
        finish(job, error)
        guard error == nil else { continue }
        written &+= 1
        isSynced = isSynced || job.isOwed
      }
      counted.add(jobs: written, isSynced: isSynced)
    }
    if let next = queue.first {
      next.state = .leader
      next.condition?.signal()
    } else {
      hasLeader = false
      idle.broadcast()
    }
  }

  private func finish(_ job: WriteJob, _ error: StoreError?) {
    job.state = .done(error)
    if error == .poisoned { refuse(.poisoned) }
    job.condition?.signal()
  }

  /// Lets no job after this one run. Called with the lock held.
  private func refuse(_ error: StoreError) {
    if refusal == nil { refusal = error }
  }

  /// Commits the jobs; gives each one's error, in their order.
  private func commit(_ batch: [WriteJob], until deadline: Deadline) -> [StoreError?] {
    connectionLock.withLock {
      guard let database else { return batch.map { _ in .closed } }
      // Whoever writes without the turnstile (another program) is waited for within the same limit.
      if let left = deadline.remainingMilliseconds { database.setBusyTimeout(milliseconds: left) }
      // Inside for the whole transaction: a child would undo what its parent has begun.
      var outcomes = Inside.run { attempt(batch, database) }
      // When the transaction was lost, nothing is on disk: run those again, one by one, that did not fail by
      // themselves. After a sync that failed none is run any more.
      var isPoisoned = outcomes.contains(.failed(.poisoned))
      for (index, job) in batch.enumerated() where outcomes[index] == .lost {
        outcomes[index] =
          isPoisoned ? .failed(.poisoned) : Inside.run { attempt([job], database) }.first ?? .lost
        if outcomes[index] == .failed(.poisoned) { isPoisoned = true }
      }
      if !isInMemory && outcomes.contains(.failed(.full)) { Inside.run { database.cutLog() } }
      if database.hasFailedCheckpoint { lock.withLock { refuse(.poisoned) } }
      return outcomes.map { outcome in
        switch outcome {
        case .committed: return nil
        case .lost: return .failed("the transaction was lost twice")
        case .failed(let error): return error
        }
      }
    }
  }

  private enum Outcome: Equatable {
    case committed
    /// The transaction ended before it was committed; this job did not cause that.
    case lost
    case failed(StoreError)
  }

  /// Runs the jobs in one transaction. On return no transaction is open.
  private func attempt(_ batch: [WriteJob], _ database: Database) -> [Outcome] {
    var outcomes = [Outcome](repeating: .lost, count: batch.count)
    do throws(StoreError) {
      try setSynchronous(batch.contains { $0.isOwed }, database)
      try database.statement("BEGIN IMMEDIATE").run()
    } catch {
      return batch.map { _ in .failed(error) }
    }
    database.tally = Tally(positions: positions)
    for (index, job) in batch.enumerated() {
      let tally = database.tally
      do throws(StoreError) {
        if batch.count > 1 { try database.statement("SAVEPOINT job").run() }
        try job.body(database)
        if batch.count > 1 { try database.statement("RELEASE job").run() }
        outcomes[index] = .committed
      } catch {
        outcomes[index] = .failed(error)
        if batch.count == 1 || database.isOutsideTransaction || !undoSavepoint(database) {
          rollBack(database)
          return outcomes.map { if case .failed = $0 { $0 } else { .lost } }
        }
        database.tally = tally
      }
    }
    do throws(StoreError) {
      try database.tally.write(to: database)
      try database.statement("COMMIT").run()
      positions = database.tally.positions
    } catch {
      rollBack(database)
      return outcomes.map { outcome in
        if case .failed = outcome { return outcome }
        return batch.count == 1 ? .failed(error) : error == .poisoned ? .failed(.poisoned) : .lost
      }
    }
    return outcomes
  }

  private func undoSavepoint(_ database: Database) -> Bool {
    do throws(StoreError) {
      try database.statement("ROLLBACK TO job").run()
      try database.statement("RELEASE job").run()
      return true
    } catch {
      return false
    }
  }

  private func rollBack(_ database: Database) {
    guard !database.isOutsideTransaction else { return }
    do throws(StoreError) { try database.execute("ROLLBACK") } catch {}
  }

  /// The pragma acts when it is prepared, so it is never prepared ahead; it is only run when it changes.
  private func setSynchronous(_ full: Bool, _ database: Database) throws(StoreError) {
    guard isFullySynchronous != full, !isInMemory else { return }
    try database.execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL")
    isFullySynchronous = full
  }
}
