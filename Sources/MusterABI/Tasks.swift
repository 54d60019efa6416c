public import CMuster
import MusterAPI
import MusterJSON

// The named forms of the operations on tasks.

@_cdecl("muster_tasks_list") @implementation
public func muster_tasks_list(
  _ plane: OpaquePointer?, _ filters_json: UnsafePointer<CChar>?, _ page: Int32, _ per_page: Int32,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.list", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    var arguments = filters_json == nil ? Arguments() : try Arguments(try Text.json(filters_json, "filters_json"))
    arguments.parameters.insert(contentsOf: paging(page, per_page), at: 0)
    return arguments
  }
}

@_cdecl("muster_task_get") @implementation
public func muster_task_get(
  _ plane: OpaquePointer?, _ task_id: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.get", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    try identified("task_id", task_id)
  }
}

@_cdecl("muster_task_stop") @implementation
public func muster_task_stop(
  _ plane: OpaquePointer?, _ task_id: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.stop", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    try identified("task_id", task_id)
  }
}

@_cdecl("muster_task_thread") @implementation
public func muster_task_thread(
  _ plane: OpaquePointer?, _ task_id: UnsafePointer<CChar>?,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ json_len: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.thread", TextOutput(text: json, length: json_len), error) { () throws(Failure) in
    try identified("task_id", task_id)
  }
}

@_cdecl("muster_task_delete") @implementation
public func muster_task_delete(
  _ plane: OpaquePointer?, _ task_id: UnsafePointer<CChar>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "tasks.delete", TextOutput(text: nil, length: nil), error) { () throws(Failure) in
    try identified("task_id", task_id)
  }
}
