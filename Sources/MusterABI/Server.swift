// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import CPlatform
import MusterAPI
import MusterServer

// The REST service on a socket.

@_cdecl("muster_serve") @implementation
public func muster_serve(
  _ plane: OpaquePointer?, _ optionsJSON: UnsafePointer<CChar>?, _ server: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  server?.pointee = nil
  error?.pointee = nil
  let errorOutput = error
  // Made now: a child forked while another thread makes it would wait for that thread for ever.
  _ = ServerHandle.table
  do throws(Failure) {
    let found = try PlaneHandle.find(plane)
    guard let server else { throw Failure(.misuse, "server is NULL") }
    let options = try ServerOptions(optionsJSON == nil ? [] : try Text.bytes(optionsJSON, "options_json"))
    server.pointee = try found.serve(options)
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_server_url") @implementation
public func muster_server_url(
  _ server: OpaquePointer?, _ url: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ urlLength: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  let output = TextOutput(text: url, length: urlLength)
  output.clear()
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    try output.give(Array(try ServerHandle.find(server).server.url.utf8))
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_server_stop") @implementation
public func muster_server_stop(_ server: OpaquePointer?) -> muster_status {
  if Host.mayNotWait { return Status.wouldDeadlock.rawValue }
  guard let found = ServerHandle.table.find(server) else { return Status.ok.rawValue }
  // The sockets of an inherited server are closed already, and its threads are the parent's.
  guard found.processID == platform_process_id() else { return Status.ok.rawValue }
  guard let stopping = ServerHandle.table.remove(server) else { return Status.ok.rawValue }
  stopping.plane.stop(server, stopping.server)
  return Status.ok.rawValue
}
