package import MusterSystem

/// An attempt that is under way.
package protocol ModelCall: AnyObject, Sendable {
  /// Ends it from any thread, also from within the listener's functions, without waiting: the connection is closed and
  /// the listener hears `interrupted` with this reason, unless it has heard the end already.
  func cancel(_ reason: Interrupt.Reason)
}
