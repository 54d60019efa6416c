// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CJansson
public import CMuster
import CMusterJansson
import CPlatform
import MusterAPI
import MusterJSON

// The call of any operation with jansson objects. They pass through text: a value is never shared between the host and the library.

@_cdecl("muster_call_j") @implementation
public func muster_call_j(
  _ plane: OpaquePointer?, _ operation: UnsafePointer<CChar>?, _ args: UnsafeMutablePointer<json_t>?,
  _ timeoutMilliseconds: Int64, _ out: UnsafeMutablePointer<UnsafeMutablePointer<json_t>?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  out?.pointee = nil
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    let found = try PlaneHandle.find(plane)
    let name = try Text.string(operation, "operation")
    let arguments = try args.map { args throws(Failure) in try Arguments(try JanssonText.value(args)) } ?? Arguments()
    let answer = try found.plane.call(name, arguments, timeoutMilliseconds: timeoutMilliseconds)
    if let out {
      guard let value = JanssonText.load(answer) else { throw Failure(.internal, "jansson refused the answer") }
      out.pointee = value
    }
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_event_json") @implementation
public func muster_event_json(_ event: UnsafePointer<muster_event>?) -> UnsafeMutablePointer<json_t>? {
  guard let event, event.pointee.struct_size >= MemoryLayout<muster_event>.size, let json = event.pointee.json else {
    return nil
  }
  return JanssonText.load(
    UnsafeRawBufferPointer(start: json, count: event.pointee.json_len).map { $0 })
}
