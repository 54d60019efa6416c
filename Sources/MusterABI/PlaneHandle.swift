import CPlatform
import MusterAPI
import MusterServer

/// What a `muster *` stands for.
final class PlaneHandle: @unchecked Sendable {
  static let table = HandleTable<PlaneHandle>(tag: 0xa1)

  let plane: ControlPlane
  let host: Host?
  /// The REST service on the plane.
  let rest: RESTService
  let processID = platform_process_id()

  init(plane: ControlPlane, host: Host?) {
    self.plane = plane
    self.host = host
    rest = RESTService(plane: plane, settings: RESTSettings(network: plane.networkOfCallers))
  }

  /// The open plane of a handle, for a call from this thread.
  static func find(_ handle: OpaquePointer?) throws(Failure) -> PlaneHandle {
    // Before the look-up: while a plane is being closed its callbacks still run, and its handle is gone.
    if Host.isInCallback { throw Failure(.wouldDeadlock, "a callback may not call a plane") }
    guard let found = table.find(handle) else {
      throw Failure(.badHandle, "the handle is NULL, closed, or none")
    }
    guard found.processID == platform_process_id() else {
      throw Failure(.forked, "the plane was opened before this process was forked: open one of its own")
    }
    return found
  }
}
