import MusterSystem

/// The tickets of a plane: those that wait for their call, and those whose call is under way.
final class Tickets: @unchecked Sendable {
  /// How many may wait unused.
  private static let most = 1 << 20

  private let lock = Lock()
  private var last: UInt64 = 0
  private var known: [UInt64: Interrupt] = [:]
  private var used: Set<UInt64> = []

  /// A new ticket; 0 when too many wait unused.
  func make() -> UInt64 {
    lock.withLock {
      guard known.count - used.count < Tickets.most else { return 0 }
      last += 1
      known[last] = Interrupt()
      return last
    }
  }

  /// The interrupt of a ticket, for its one call; nil when it is unknown or was used.
  func use(_ ticket: UInt64) -> Interrupt? {
    lock.withLock {
      guard let interrupt = known[ticket], used.insert(ticket).inserted else { return nil }
      return interrupt
    }
  }

  /// Ends a ticket with its call.
  func retire(_ ticket: UInt64) {
    lock.withLock {
      known[ticket] = nil
      used.remove(ticket)
    }
  }

  /// Cancels, before or during the call; harmless for other numbers.
  func cancel(_ ticket: UInt64) {
    lock.withLock { known[ticket] }?.fire(.cancelled)
  }
}
