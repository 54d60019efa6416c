/// Interrupts that are fired together.
package final class Interrupts: @unchecked Sendable {
  private let lock = Lock()
  private var all: [Int: Interrupt] = [:]
  private var lastNumber = 0
  private var fired: Interrupt.Reason?

  package init() {}

  /// Takes one in, which is fired at once if the others were; gives the number with which it is taken out.
  package func add(_ interrupt: Interrupt) -> Int {
    let (number, reason) = lock.withLock { () -> (Int, Interrupt.Reason?) in
      lastNumber &+= 1
      if fired == nil { all[lastNumber] = interrupt }
      return (lastNumber, fired)
    }
    if let reason { interrupt.fire(reason) }
    return number
  }

  package func remove(_ number: Int) {
    lock.withLock { _ = all.removeValue(forKey: number) }
  }

  /// Fires all that there are, and those that come.
  package func fire(_ reason: Interrupt.Reason) {
    let waiting = lock.withLock { () -> [Interrupt] in
      fired = reason
      defer { all = [:] }
      return all.map { $0.value }
    }
    for interrupt in waiting { interrupt.fire(reason) }
  }
}
