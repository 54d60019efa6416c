import MusterStore
import MusterSystem

/// The runs that no caller waits for, from their launch until they have ended.
final class Flights: @unchecked Sendable {
  private let most: Int64
  private let lock = Lock()
  private let changed = Condition()
  /// By their numbers.
  private var all: [Int: RunFlight] = [:]
  private var lastNumber = 0
  /// How many places are taken: by flights until they have ended, and for flights to come.
  private var taken: Int64 = 0
  private var isClosed = false
  /// Tasks of flights that ended while the host may have been at work for them.
  private var inHost: [TaskRow] = []

  init(most: Int64) { self.most = most }

  var count: Int { lock.withLock { all.count } }

  /// Those that hold a task.
  var holding: [(flight: RunFlight, task: HeldTask)] {
    let flights = lock.withLock { all.map { $0.value } }
    var holding: [(flight: RunFlight, task: HeldTask)] = []
    for flight in flights { if let task = flight.heldTask { holding.append((flight, task)) } }
    return holding
  }

  var hasRoom: Bool { lock.withLock { taken < most } }

  /// Keeps a place for a flight to come, until `giveBack`.
  func reserve() throws(RunError) {
    try lock.withLock { () throws(RunError) in
      if isClosed { throw .interrupted(.closing, taskID: nil) }
      guard taken < most else { throw .tooMany(most) }
      taken += 1
    }
  }

  func giveBack() { lock.withLock { taken -= 1 } }

  /// Takes a flight in; refuses it when there are too many, or none may start any more. `hasPlace`: on the place that
  /// `reserve` has kept, which is its own then.
  func add(_ flight: RunFlight, hasPlace: Bool = false) throws(RunError) {
    try lock.withLock { () throws(RunError) in
      if isClosed { throw .interrupted(.closing, taskID: nil) }
      if !hasPlace {
        guard taken < most else { throw .tooMany(most) }
        taken += 1
      }
      lastNumber &+= 1
      flight.number = lastNumber
      all[lastNumber] = flight
    }
  }

  /// Ends what `add` began, once the flight's place was given back.
  func remove(_ flight: RunFlight) {
    lock.withLock {
      all[flight.number] = nil
      if all.isEmpty { changed.broadcast() }
    }
  }

  /// Those of a thread that have not begun.
  func inLine(_ name: TaskName) -> [RunFlight] {
    let flights = lock.withLock { all.map { $0.value } }
    return flights.filter { $0.name == name && $0.heldTask == nil }
  }

  func leaveInHost(_ task: TaskRow) { lock.withLock { inHost.append(task) } }

  /// Takes the tasks that were left so.
  func takeInHost() -> [TaskRow] {
    lock.withLock {
      defer { inHost = [] }
      return inHost
    }
  }

  /// Lets no flight start any more, and interrupts all there are.
  func beginClosing() {
    let running = lock.withLock { () -> [RunFlight] in
      isClosed = true
      return all.map { $0.value }
    }
    for flight in running { flight.interrupt.fire(.closing) }
  }

  /// The same, and waits until they have ended.
  func close() {
    beginClosing()
    lock.withLock { while !all.isEmpty { _ = changed.wait(lock) } }
  }
}
