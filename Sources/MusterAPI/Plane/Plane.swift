package import MusterSystem

/// What a host has open: a store of its own, or a service elsewhere. Every function may be called from any thread.
package protocol Plane: AnyObject, Sendable {
  /// Calls an operation for the host; gives its answer, `null` when it has none. `timeoutMilliseconds`: negative waits
  /// without limit, 0 takes the plane's default.
  func call(_ name: String, _ arguments: Arguments, timeoutMilliseconds: Int64) throws(Failure) -> [UInt8]
  /// A ticket for one later call; 0 when too many wait unused.
  func makeTicket() -> UInt64
  /// Cancels the call that carries the ticket, also before it begins.
  func cancel(_ ticket: UInt64)
  /// Refuses new calls, interrupts those under way, and waits for them. Harmless when it is closed.
  func close()
}

extension ControlPlane: Plane {
  package func call(
    _ name: String, _ arguments: Arguments, timeoutMilliseconds: Int64
  ) throws(Failure) -> [UInt8] {
    try call(name, arguments, timeoutMilliseconds: timeoutMilliseconds, as: nil)
  }
}

/// A plane that was opened.
package enum OpenedPlane: Sendable {
  case local(ControlPlane)
  case remote(RemotePlane)

  /// Opens what a path, ":memory:", a URL, or a JSON object says.
  package init(configuration text: [UInt8], log: Log) throws(Failure) {
    let configuration = try PlaneConfiguration(text)
    self =
      configuration.isRemote
      ? .remote(try RemotePlane(configuration, log: log)) : .local(try ControlPlane(configuration, log: log))
  }

  package var plane: any Plane {
    switch self {
    case .local(let plane): return plane
    case .remote(let plane): return plane
    }
  }
}
