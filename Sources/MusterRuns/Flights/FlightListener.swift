import MusterStore

/// What whoever submitted a run wants to know of it. On a thread of the pool: brief, and without waiting.
package protocol FlightListener: AnyObject, Sendable {
  /// The turn has begun, and is on record. Not called when none begins.
  func begun(_ turn: LiveTurn)
  /// The last that is heard; exactly once.
  func ended(_ end: FlightEnd)
}

/// How a submitted run ended.
package enum FlightEnd: Sendable {
  /// With its task; `cause`: what ended it early, if that was its submitter, its time, or the end of the plane.
  case task(TaskSnapshot, cause: RunError?)
  /// Without a task, or without one that can be read.
  case failed(RunError)
}

/// What happens to a run that finds its thread busy.
package enum BusyRule: String, Sendable {
  /// It waits for the turns before it.
  case enqueue
  /// It is refused.
  case reject
  /// The turns before it are stopped.
  case replace
}
