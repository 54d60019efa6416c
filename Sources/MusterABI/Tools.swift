// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import MusterAPI
import MusterJSON
import MusterTools

// Tools of the host.

@_cdecl("muster_tool_register") @implementation
public func muster_tool_register(
  _ plane: OpaquePointer?, _ specJSON: UnsafePointer<CChar>?, _ function: muster_tool_fn?,
  _ userData: UnsafeMutableRawPointer?, _ release: muster_release_fn?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  error?.pointee = nil
  let errorOutput = error
  let tool = HostTool(function, userData, release)
  do throws(Failure) {
    let plane = try PlaneHandle.find(plane).local()
    guard tool.isCallable else { throw Failure(.misuse, "function is NULL") }
    try plane.registerTool(try spec(specJSON), tool)
    return Status.ok.rawValue
  } catch {
    tool.release()
    return report(error, errorOutput)
  }
}

@_cdecl("muster_tool_register_queue") @implementation
public func muster_tool_register_queue(
  _ plane: OpaquePointer?, _ specJSON: UnsafePointer<CChar>?, _ handle: OpaquePointer?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(.register(handle), plane, specJSON, error)
}

@_cdecl("muster_tool_unregister") @implementation
public func muster_tool_unregister(
  _ plane: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(.unregister, plane, name, error)
}

@_cdecl("muster_tool_reply") @implementation
public func muster_tool_reply(
  _ plane: OpaquePointer?, _ callID: UnsafePointer<CChar>?, _ resultJSON: UnsafePointer<CChar>?, _ isError: Bool,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(.reply(resultJSON, isError), plane, callID, error)
}

@_cdecl("muster_tool_cancelled") @implementation
public func muster_tool_cancelled(_ plane: OpaquePointer?, _ callID: UnsafePointer<CChar>?) -> Bool {
  do throws(Failure) {
    return try PlaneHandle.find(plane).local().tools.isCancelled(try Text.string(callID, "call_id"))
  } catch {
    return true
  }
}

/// What the host says of a tool.
private func spec(_ text: UnsafePointer<CChar>?) throws(Failure) -> ToolSpec {
  let json = try Text.json(text, "spec_json", maximum: 1 << 20)
  guard json.kind == .object else { throw Failure(.json, "spec_json must be a JSON object") }
  do throws(ToolSpecError) {
    return try ToolSpec(json)
  } catch {
    throw Failure(.misuse, "spec_json\(error.message)")
  }
}

/// What a function without an answer does, with what else it takes.
private enum Action {
  case register(OpaquePointer?)
  case unregister
  case reply(UnsafePointer<CChar>?, Bool)
}

/// `text`: the spec, the name or the call that the function is about.
private func perform(
  _ action: Action, _ handle: OpaquePointer?, _ text: UnsafePointer<CChar>?,
  _ errorOutput: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  errorOutput?.pointee = nil
  do throws(Failure) {
    let plane = try PlaneHandle.find(handle).local()
    switch action {
    case .register(let queueHandle):
      let queue = try queue(queueHandle, on: handle)
      try queue.register(try spec(text))
    case .unregister: try plane.unregisterTool(try Text.string(text, "name"))
    case .reply(let result, let isError):
      let call = try Text.string(text, "call_id")
      try plane.answerTool(call, result == nil ? .null : try Text.json(result, "result_json"), isError: isError)
    }
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}
