// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import MusterAPI
import MusterJSON

// The named forms of the operations on tasks.

@_cdecl("muster_tasks_list") @implementation
public func muster_tasks_list(
  _ plane: OpaquePointer?, _ filtersJSON: UnsafePointer<CChar>?, _ page: Int32, _ perPage: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.list", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    var arguments = filtersJSON == nil ? Arguments() : try Arguments(try Text.json(filtersJSON, "filters_json"))
    arguments.parameters.insert(contentsOf: paging(page, perPage), at: 0)
    return arguments
  }
}

@_cdecl("muster_task_get") @implementation
public func muster_task_get(
  _ plane: OpaquePointer?, _ taskID: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.get", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try identified("task_id", taskID)
  }
}

@_cdecl("muster_task_stop") @implementation
public func muster_task_stop(
  _ plane: OpaquePointer?, _ taskID: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.stop", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try identified("task_id", taskID)
  }
}

@_cdecl("muster_task_thread") @implementation
public func muster_task_thread(
  _ plane: OpaquePointer?, _ taskID: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.thread", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try identified("task_id", taskID)
  }
}

@_cdecl("muster_task_delete") @implementation
public func muster_task_delete(
  _ plane: OpaquePointer?, _ taskID: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.delete", TextOutput(text: nil, length: nil), error) { () throws(Failure) in
    try identified("task_id", taskID)
  }
}
