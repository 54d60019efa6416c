import MusterStore
import MusterSystem

/// Notices what other processes do to the tasks that are run or followed here, every 50 ms, and to those that this process
/// goes on with when they can, every 250 ms: only while there are any, and it reads only when somebody has committed.
final class ForeignWatch: PoolJob, @unchecked Sendable {
  private static let intervalMilliseconds: Int64 = 50
  private static let parkedMilliseconds: Int64 = 250

  private let store: Store
  private let pool: ThreadPool
  private let flights: Flights
  private let resumes: Resumes
  // Set once, before anything is watched.
  var feed: TaskFeed?
  /// Goes on with what was put aside, as far as it can.
  var goOn: (() -> Void)?
  private let lock = Lock()
  private var isRunning = false
  // Of the one run at a time.
  private var seen: Int64?
  private var seenForeign: Int64?
  private var seenParked: Int64?
  private var nextLook = Deadline.after(milliseconds: 0)

  init(store: Store, pool: ThreadPool, flights: Flights, resumes: Resumes) {
    self.resumes = resumes
    self.store = store
    self.pool = pool
    self.flights = flights
  }

  /// Has it look, from now on until there is nothing to look after.
  func start() {
    lock.withLock {
      if isRunning { return }
      isRunning = schedule(isUrgent: true)
    }
  }

  private func schedule(isUrgent: Bool) -> Bool {
    let interval = isUrgent ? ForeignWatch.intervalMilliseconds : ForeignWatch.parkedMilliseconds
    return pool.schedule(self, at: .after(milliseconds: interval)) != nil
  }

  func run() {
    if let feed, feed.hasPolled { tellPolled(feed) }
    if flights.count > 0 { lookAfterFlights() }
    if resumes.isWatching, nextLook.hasPassed { lookForParked() }
    lock.withLock {
      // Looked at under the lock: whoever comes now finds it running or starts it.
      let isUrgent = flights.count > 0 || feed?.hasPolled == true
      isRunning = (isUrgent || resumes.isWatching) && schedule(isUrgent: isUrgent)
    }
  }

  /// A person may have decided, or a process have ended, elsewhere.
  private func lookForParked() {
    nextLook = .after(milliseconds: ForeignWatch.parkedMilliseconds)
    if store.isInMemory { return }
    let number: Int64?
    do throws(StoreError) { number = try store.changeNumber() } catch { number = nil }
    if let number, number == seenParked { return }
    seenParked = number
    goOn?()
  }

  private func tellPolled(_ feed: TaskFeed) {
    let number: Int64?
    do throws(StoreError) { number = try store.changeNumber() } catch { number = nil }
    // A store in memory has no number that tells.
    if let number, number == seen, !store.isInMemory { return }
    seen = number
    feed.tellPolled()
  }

  /// What is done to a task in this process is told to its run; of others the store tells.
  private func lookAfterFlights() {
    do throws(StoreError) {
      guard let number = try store.foreignChangeNumber(), number != seenForeign else { return }
      // Before the tasks are read: who begins meanwhile is not looked at.
      var lost: [Int: RunFlight] = [:]
      for (flight, task) in flights.holding { lost[Int(task.key)] = flight }
      for held in try store.tasksHeld() {
        guard let flight = lost[Int(held.key)], flight.heldTask.map({ $0.fence == held.fence }) ?? true else {
          continue
        }
        lost[Int(held.key)] = nil
      }
      // A flight that ended meanwhile takes no notice.
      for (_, flight) in lost { flight.lose() }
      seenForeign = number
    } catch {
      // It is looked at again.
    }
  }
}
