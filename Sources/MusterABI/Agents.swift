public import CMuster
import MusterAPI
import MusterJSON

// The named forms of the operations on agents.

@_cdecl("muster_agents_list") @implementation
public func muster_agents_list(
  _ plane: OpaquePointer?, _ page: Int32, _ per_page: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.list", TextOutput(text: json, length: json_len), error) {
    Arguments(parameters: paging(page, per_page))
  }
}

@_cdecl("muster_agents_list_full") @implementation
public func muster_agents_list_full(
  _ plane: OpaquePointer?, _ page: Int32, _ per_page: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.list_full", TextOutput(text: json, length: json_len), error) {
    Arguments(parameters: paging(page, per_page))
  }
}

@_cdecl("muster_agent_get") @implementation
public func muster_agent_get(
  _ plane: OpaquePointer?, _ agent_id: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.get", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    try identified("agent_id", agent_id)
  }
}

@_cdecl("muster_agent_create") @implementation
public func muster_agent_create(
  _ plane: OpaquePointer?, _ body_json: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.create", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    Arguments(body: try Text.json(body_json, "body_json"))
  }
}

@_cdecl("muster_agent_update") @implementation
public func muster_agent_update(
  _ plane: OpaquePointer?, _ agent_id: UnsafePointer<CChar>?, _ body_json: UnsafePointer<CChar>?, _ deploy: Bool,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.update", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    var arguments = try identified("agent_id", agent_id)
    arguments.parameters.append(("deploy", .boolean(deploy)))
    arguments.body = try Text.json(body_json, "body_json")
    return arguments
  }
}

@_cdecl("muster_agent_deploy") @implementation
public func muster_agent_deploy(
  _ plane: OpaquePointer?, _ agent_id: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.deploy", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    try identified("agent_id", agent_id)
  }
}

@_cdecl("muster_agent_delete") @implementation
public func muster_agent_delete(
  _ plane: OpaquePointer?, _ agent_id: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.delete", TextOutput(text: nil, length: nil), error) { () throws(Failure) in
    try identified("agent_id", agent_id)
  }
}

@_cdecl("muster_agent_invoke") @implementation
public func muster_agent_invoke(
  _ plane: OpaquePointer?, _ agent_id: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?,
  _ body_json: UnsafePointer<CChar>?, _ timeout_ms: Int64,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(
    plane, "agents.invoke", timeoutMilliseconds: timeout_ms, TextOutput(text: json, length: json_len), error
  ) { () throws(Failure) in
    var arguments = try identified("agent_id", agent_id)
    if version != nil { arguments.parameters.append(("version", .string(try Text.string(version, "version")))) }
    arguments.body = try Text.json(body_json, "body_json")
    return arguments
  }
}

/// The parameters of a page; 0 takes the operation's default.
func paging(_ page: Int32, _ perPage: Int32) -> [(name: String, value: JSON)] {
  var parameters: [(name: String, value: JSON)] = []
  if page != 0 { parameters.append(("page", .integer(Int64(page)))) }
  if perPage != 0 { parameters.append(("per_page", .integer(Int64(perPage)))) }
  return parameters
}

/// The arguments of an operation on one thing.
func identified(_ name: String, _ id: UnsafePointer<CChar>?) throws(Failure) -> Arguments {
  Arguments(parameters: [(name, .string(try Text.string(id, name)))])
}
