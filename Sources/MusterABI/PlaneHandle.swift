import CPlatform
import MusterAPI
import MusterServer
import MusterSystem

/// What a `muster *` stands for.
final class PlaneHandle: @unchecked Sendable {
  static let table = HandleTable<PlaneHandle>(tag: 0xa1)

  let plane: any Plane
  let host: Host?
  private let opened: OpenedPlane
  private let service: RESTService?
  let processID = platform_process_id()
  private let lock = Lock()
  private let changed = Condition()
  private var servers: [OpaquePointer] = []
  /// Servers that are being started or stopped by some thread.
  private var serversInMotion = 0
  private var isClosing = false

  init(_ opened: OpenedPlane, host: Host?) {
    self.opened = opened
    self.host = host
    plane = opened.plane
    switch opened {
    case .local(let local):
      service = RESTService(plane: local, settings: RESTSettings(network: local.networkOfCallers))
    case .remote: service = nil
    }
  }

  /// The plane with its store; one that is a service elsewhere has none.
  func local() throws(Failure) -> ControlPlane {
    guard case .local(let plane) = opened else { throw PlaneHandle.elsewhere }
    return plane
  }

  /// The REST service on the plane; one that is a service elsewhere has its own there.
  func rest() throws(Failure) -> RESTService {
    guard let service else { throw PlaneHandle.elsewhere }
    return service
  }

  private static let elsewhere = Failure(
    .unsupported, "the plane is a service elsewhere: this takes one with a store of its own")

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

  // MARK: - Servers

  /// Starts a server on the plane, and gives its handle.
  func serve(_ options: ServerOptions) throws(Failure) -> OpaquePointer {
    let isOpen = lock.withLock { () -> Bool in
      if !isClosing { serversInMotion += 1 }
      return !isClosing
    }
    guard isOpen else { throw Failure(.closed, "the plane is closed") }
    defer { settle() }
    let server = try Server(plane: try local(), options: options)
    guard let handle = ServerHandle.table.insert(ServerHandle(server: server, plane: self)) else {
      server.stop(isAtOnce: true)
      throw Failure(.internal, "too many servers")
    }
    lock.withLock { servers.append(handle) }
    return handle
  }

  /// Stops a server whose handle the caller has ended.
  func stop(_ handle: OpaquePointer?, _ server: Server) {
    lock.withLock {
      serversInMotion += 1
      servers.removeAll { $0 == handle }
    }
    server.stop()
    settle()
  }

  private func settle() {
    lock.withLock {
      serversInMotion -= 1
      changed.broadcast()
    }
  }

  /// Stops all servers at once, before the plane is closed, and lets no new ones come.
  func stopServers() {
    lock.withLock { isClosing = true }
    while true {
      let handles = lock.withLock { () -> [OpaquePointer] in
        while servers.isEmpty, serversInMotion > 0 { _ = changed.wait(lock) }
        return servers
      }
      if handles.isEmpty { return }
      for handle in handles {
        let ended = ServerHandle.table.remove(handle)
        lock.withLock { servers.removeAll { $0 == handle } }
        ended?.server.stop(isAtOnce: true)
      }
    }
  }
}
