// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import MusterAPI
import MusterJSON

// The named forms of the operations on agents.

@_cdecl("muster_agents_list") @implementation
public func muster_agents_list(
  _ plane: OpaquePointer?, _ page: Int32, _ perPage: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.list", TextOutput(text: json, length: jsonLength), error) {
    Arguments(parameters: paging(page, perPage))
  }
}

@_cdecl("muster_agents_list_full") @implementation
public func muster_agents_list_full(
  _ plane: OpaquePointer?, _ page: Int32, _ perPage: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.list_full", TextOutput(text: json, length: jsonLength), error) {
    Arguments(parameters: paging(page, perPage))
  }
}

@_cdecl("muster_agent_get") @implementation
public func muster_agent_get(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.get", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try identified("agent_id", agentID)
  }
}

@_cdecl("muster_agent_create") @implementation
public func muster_agent_create(
  _ plane: OpaquePointer?, _ bodyJSON: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.create", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    Arguments(body: try Text.json(bodyJSON, "body_json"))
  }
}

@_cdecl("muster_agent_update") @implementation
public func muster_agent_update(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?, _ bodyJSON: UnsafePointer<CChar>?, _ deploy: Bool,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.update", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    var arguments = try identified("agent_id", agentID)
    arguments.parameters.append(("deploy", .boolean(deploy)))
    arguments.body = try Text.json(bodyJSON, "body_json")
    return arguments
  }
}

@_cdecl("muster_agent_deploy") @implementation
public func muster_agent_deploy(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.deploy", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try identified("agent_id", agentID)
  }
}

@_cdecl("muster_agent_delete") @implementation
public func muster_agent_delete(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.delete", TextOutput(text: nil, length: nil), error) { () throws(Failure) in
    try identified("agent_id", agentID)
  }
}

@_cdecl("muster_agent_invoke") @implementation
public func muster_agent_invoke(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?,
  _ bodyJSON: UnsafePointer<CChar>?, _ timeoutMilliseconds: Int64,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(
    plane, "agents.invoke", timeoutMilliseconds: timeoutMilliseconds, TextOutput(text: json, length: jsonLength), error
  ) { () throws(Failure) in try invocation(agentID, version, bodyJSON) }
}

/// The arguments of an operation that runs an agent.
func invocation(
  _ agentID: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ bodyJSON: UnsafePointer<CChar>?
) throws(Failure) -> Arguments {
  var arguments = try identified("agent_id", agentID)
  if version != nil { arguments.parameters.append(("version", .string(try Text.string(version, "version")))) }
  arguments.body = try Text.json(bodyJSON, "body_json")
  return arguments
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
