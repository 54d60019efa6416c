import CSQLite
import MusterSystem

/// The one writing connection of a store in this process, shared by group commit.
///
/// The caller that finds it idle leads a batch; the others ride, each in a savepoint of its own, and share its sync to disk. About 20,000 durable commits
/// a second from 64 callers that way; 900 with a connection each.
final class Writer: @unchecked Sendable {
  private static let largestBatch = 256

  private let database: Database
  /// Nil for a store in memory.
  private let turnstile: Turnstile?
  /// Held while the connection works. A store in memory reads through the same connection.
  let connectionLock = Lock()

  private let lock = Lock()
  private var queue: [WriteJob] = []
  private var hasLeader = false
  private var isPoisoned = false
  private var busyTimeoutMilliseconds: Int64
  /// What `PRAGMA synchronous` was last set to.
  private var isFullySynchronous: Bool?

  init(database: Database, turnstile: Turnstile?, busyTimeoutMilliseconds: Int64) {
    self.database = database
    self.turnstile = turnstile
    self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
  }

  /// Planes that share a store may wait as long as the most patient of them.
  func raiseBusyTimeout(to milliseconds: Int64) {
    lock.withLock { busyTimeoutMilliseconds = max(busyTimeoutMilliseconds, milliseconds) }
  }

  /// Runs the job, and returns when it is committed.
  func perform(_ job: WriteJob) throws(StoreError) {
    lock.lock()
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
    if case .leader = job.state { lead() }
    let state = job.state
    lock.unlock()
    if case .done(let error?) = state { throw error }
  }

  /// Uses the connection for reading; only for a store in memory.
  func read<Value>(_ body: (Database) throws(StoreError) -> Value) throws(StoreError) -> Value {
    try connectionLock.withLock { () throws(StoreError) -> Value in try body(database) }
  }

  /// Commits the front of the queue and hands over. Called, and returns, with the lock held.
  private func lead() {
    let batch = Array(queue.prefix(Writer.largestBatch))
    queue.removeFirst(batch.count)
    let timeout = busyTimeoutMilliseconds
    let wasPoisoned = isPoisoned
    lock.unlock()
    let errors =
      wasPoisoned ? batch.map { _ in StoreError.poisoned } : commit(batch, until: .after(milliseconds: timeout))
    lock.lock()
    for (job, error) in zip(batch, errors) {
      job.state = .done(error)
      if error == .poisoned { isPoisoned = true }
      job.condition?.signal()
    }
    if let next = queue.first {
      next.state = .leader
      next.condition?.signal()
    } else {
      hasLeader = false
    }
  }

  /// Commits the jobs; gives each one's error, in their order.
  private func commit(_ batch: [WriteJob], until deadline: Deadline) -> [StoreError?] {
    do throws(StoreError) {
      try turnstile?.enter(until: deadline)
    } catch {
      return batch.map { _ in error }
    }
    defer { turnstile?.leave() }
    return connectionLock.withLock {
      var errors = attempt(batch)
      // When the transaction was lost, nothing is on disk: run those again, one by one, that did not fail by themselves.
      for (index, job) in batch.enumerated() where errors[index] == .lost {
        errors[index] = attempt([job]).first ?? .lost
      }
      return errors.map { outcome in
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
  private func attempt(_ batch: [WriteJob]) -> [Outcome] {
    var outcomes = [Outcome](repeating: .lost, count: batch.count)
    do throws(StoreError) {
      try setSynchronous(batch.contains { $0.isOwed })
      try database.execute("BEGIN IMMEDIATE")
    } catch {
      return batch.map { _ in .failed(error) }
    }
    for (index, job) in batch.enumerated() {
      do throws(StoreError) {
        if batch.count > 1 { try database.statement("SAVEPOINT job").run() }
        try job.body(database)
        if batch.count > 1 { try database.statement("RELEASE job").run() }
        outcomes[index] = .committed
      } catch {
        outcomes[index] = .failed(error)
        if batch.count == 1 || database.isOutsideTransaction || !undoSavepoint() {
          rollBack()
          return outcomes.map { if case .failed = $0 { $0 } else { .lost } }
        }
      }
    }
    do throws(StoreError) {
      try database.statement("COMMIT").run()
    } catch {
      let code = database.lastCode
      rollBack()
      // After a sync that failed nobody knows what is on disk: only opening the file again tells.
      let isSync = code == SQLITE_IOERR | (4 << 8) || code == SQLITE_IOERR | (5 << 8)
      let final: StoreError = isSync ? .poisoned : error
      return outcomes.map { outcome in
        if case .failed = outcome { return outcome }
        return batch.count == 1 || isSync ? .failed(final) : .lost
      }
    }
    return outcomes
  }

  private func undoSavepoint() -> Bool {
    do throws(StoreError) {
      try database.statement("ROLLBACK TO job").run()
      try database.statement("RELEASE job").run()
      return true
    } catch {
      return false
    }
  }

  private func rollBack() {
    guard !database.isOutsideTransaction else { return }
    do throws(StoreError) { try database.execute("ROLLBACK") } catch {}
  }

  /// The pragma acts when it is prepared, so it is never prepared ahead; it is only run when it changes.
  private func setSynchronous(_ full: Bool) throws(StoreError) {
    guard isFullySynchronous != full, turnstile != nil else { return }
    try database.execute(full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL")
    isFullySynchronous = full
  }
}
