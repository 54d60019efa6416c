// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import CPlatform
import MusterAPI
import MusterJSON
import MusterSystem

// Opening and closing planes, tickets, and the call of any operation.

@_cdecl("muster_open") @implementation
public func muster_open(
  _ config: UnsafePointer<CChar>?, _ host: UnsafePointer<muster_host>?, _ out: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  out?.pointee = nil
  error?.pointee = nil
  let errorOutput = error
  // Made now: a child forked while another thread makes it would wait for that thread for ever.
  _ = ErrorHandle.table
  do throws(Failure) {
    let opened = try open(config, host, isWanted: out != nil)
    guard let handle = PlaneHandle.table.insert(opened) else {
      opened.plane.close()
      opened.host?.giveBack()
      throw Failure(.internal, "too many open planes")
    }
    out?.pointee = handle
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

private func open(
  _ config: UnsafePointer<CChar>?, _ structure: UnsafePointer<muster_host>?, isWanted: Bool
) throws(Failure) -> PlaneHandle {
  var host: Host?
  if let structure { host = try Host(structure) }
  do throws(Failure) {
    if Host.isInCallback { throw Failure(.wouldDeadlock, "a callback may not open a plane") }
    guard isWanted else { throw Failure(.misuse, "out is NULL") }
    if host?.wantsSecrets == true {
      throw Failure(.unsupported, "muster_host.secrets_key does nothing in this version")
    }
    let text = try Text.bytes(config, "config", maximum: 1 << 20)
    guard UTF8Check.isValid(text) else { throw Failure(.utf8, "config is not UTF-8") }
    return PlaneHandle(try OpenedPlane(configuration: text, log: host?.logger ?? .none), host: host)
  } catch {
    host?.giveBack()
    throw error
  }
}

@_cdecl("muster_resume") @implementation
public func muster_resume(
  _ plane: OpaquePointer?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    try PlaneHandle.find(plane).local().resume()
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_close") @implementation
public func muster_close(_ plane: OpaquePointer?) -> muster_status {
  if Host.mayNotWait { return Status.wouldDeadlock.rawValue }
  guard let found = PlaneHandle.table.find(plane) else { return Status.ok.rawValue }
  // The inherited store belongs to the parent: nothing of it is touched here.
  guard found.processID == platform_process_id() else { return Status.ok.rawValue }
  guard let closing = PlaneHandle.table.remove(plane) else { return Status.ok.rawValue }
  closing.stopServers()
  closing.plane.close()
  closing.host?.giveBack()
  return Status.ok.rawValue
}

@_cdecl("muster_ticket_new") @implementation
public func muster_ticket_new(_ plane: OpaquePointer?) -> muster_ticket {
  do throws(Failure) {
    return try PlaneHandle.find(plane).plane.makeTicket()
  } catch {
    return 0
  }
}

@_cdecl("muster_cancel") @implementation
public func muster_cancel(_ plane: OpaquePointer?, _ ticket: muster_ticket) -> muster_status {
  do throws(Failure) {
    try PlaneHandle.find(plane).plane.cancel(ticket)
    return Status.ok.rawValue
  } catch {
    return error.status.rawValue
  }
}

@_cdecl("muster_call") @implementation
public func muster_call(
  _ plane: OpaquePointer?, _ operation: UnsafePointer<CChar>?, _ argumentsJSON: UnsafePointer<CChar>?,
  _ timeoutMilliseconds: Int64, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ jsonLength: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  let output = TextOutput(text: json, length: jsonLength)
  output.clear()
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    let found = try PlaneHandle.find(plane)
    let name = try Text.string(operation, "operation")
    let arguments = argumentsJSON == nil ? Arguments() : try Arguments(try Text.json(argumentsJSON, "args_json"))
    try output.give(try found.plane.call(name, arguments, timeoutMilliseconds: timeoutMilliseconds))
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}
