import MusterStore
import MusterSystem

/// Notices what other processes do to the tasks that are run or followed here: it looks every 50 ms, only while there are
/// any, and reads only when somebody has committed.
final class ForeignWatch: PoolJob, @unchecked Sendable {
  private static let intervalMilliseconds: Int64 = 50

  private let store: Store
  private let pool: ThreadPool
  private let flights: Flights
  // Set once, before anything is watched.
  var feed: TaskFeed?
  private let lock = Lock()
  private var isRunning = false
  // Of the one run at a time.
  private var seen: Int64?
  private var seenForeign: Int64?

  init(store: Store, pool: ThreadPool, flights: Flights) {
    self.store = store
    self.pool = pool
    self.flights = flights
  }

  /// Has it look, from now on until there is nothing to look after.
  func start() {
    lock.withLock {
      if isRunning { return }
      isRunning = schedule()
    }
  }

  private func schedule() -> Bool {
    pool.schedule(self, at: .after(milliseconds: ForeignWatch.intervalMilliseconds)) != nil
  }

  func run() {
    if let feed, feed.hasPolled { tellPolled(feed) }
    if flights.count > 0 { lookAfterFlights() }
    lock.withLock {
      // Looked at under the lock: whoever comes now finds it running or starts it.
      isRunning = (flights.count > 0 || feed?.hasPolled == true) && schedule()
    }
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
