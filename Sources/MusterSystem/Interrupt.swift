/// Asks work that is under way, or about to start, to end. Sticky: once fired it stays fired, with the first reason.
package final class Interrupt: @unchecked Sendable {
  package enum Reason: Sendable {
    /// The caller's ticket was cancelled.
    case cancelled
    /// Somebody stopped the task.
    case stopped
    /// The plane is being closed.
    case closing
    /// What the work was for is over.
    case unneeded
  }

  private let lock = Lock()
  private var fired: Reason?
  private var waker: (() -> Void)?

  package init() {}

  /// Why the work has to end; nil while it may go on.
  package var reason: Reason? { lock.withLock { fired } }

  package func fire(_ reason: Reason) {
    lock.withLock {
      if fired == nil { fired = reason }
      waker?()
    }
  }

  /// Has `waker` called whenever the interrupt fires, from now until `detach`; at once if it has fired already. For work
  /// that no thread waits for; `waker` as in `whileWaking`.
  package func attach(_ waker: @escaping () -> Void) {
    lock.withLock {
      self.waker = waker
      if fired != nil { waker() }
    }
  }

  /// Lets go of the waker. When this returns, it is not called again.
  package func detach() {
    let released = lock.withLock { () -> (() -> Void)? in
      defer { waker = nil }
      return waker
    }
    // Released outside the lock.
    _ = released
  }

  /// Runs `body` while `waker` is called whenever the interrupt fires, and once before `body` if it has fired already:
  /// however the two meet, the waker is called. When this returns, it is not called again.
  ///
  /// The waker runs on the firing thread, under a lock: it must be brief and must not come back here. Calls may be
  /// nested on one thread; the inner waker stands in for the outer one, which hears of what it missed when the inner
  /// call ends. One interrupt is waited upon by one thread at a time.
  package func whileWaking<Value, Failure: Error>(
    _ waker: @escaping () -> Void, _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let outer = lock.withLock { () -> (() -> Void)? in
      let outer = self.waker
      self.waker = waker
      if fired != nil { waker() }
      return outer
    }
    defer {
      lock.withLock {
        self.waker = outer
        if fired != nil { outer?() }
      }
    }
    return try body()
  }
}
