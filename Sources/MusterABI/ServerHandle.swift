import CPlatform
import MusterAPI
import MusterServer
import MusterSystem

/// What a `muster_server *` stands for.
final class ServerHandle: @unchecked Sendable {
  static let table = HandleTable<ServerHandle>(tag: 0xa5)

  let server: Server
  let plane: PlaneHandle
  let processID = platform_process_id()

  init(server: Server, plane: PlaneHandle) {
    self.server = server
    self.plane = plane
  }

  /// The running server of a handle.
  static func find(_ handle: OpaquePointer?) throws(Failure) -> ServerHandle {
    guard let found = table.find(handle) else {
      throw Failure(.badHandle, "the handle is NULL, stopped, or none")
    }
    guard found.processID == platform_process_id() else {
      throw Failure(.forked, "the server runs in the process that this one was forked from")
    }
    return found
  }
}
