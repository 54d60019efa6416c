// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CMuster
import CPlatform
import MusterAPI
import MusterJSON
import MusterSystem

// Queues and what they give.

@_cdecl("muster_queue_open") @implementation
public func muster_queue_open(
  _ plane: OpaquePointer?, _ queue: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  queue?.pointee = nil
  error?.pointee = nil
  let errorOutput = error
  // Made now: a child forked while another thread makes it would wait for that thread for ever.
  _ = QueueHandle.table
  do throws(Failure) {
    let found = try PlaneHandle.find(plane)
    guard let queue else { throw Failure(.misuse, "queue is NULL") }
    let opened = EventQueue(plane: try found.local())
    guard let handle = QueueHandle.table.insert(QueueHandle(queue: opened)) else {
      throw Failure(.internal, "too many queues")
    }
    queue.pointee = handle
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_queue_close") @implementation
public func muster_queue_close(_ queue: OpaquePointer?) -> muster_status {
  if Host.mayNotWait { return Status.wouldDeadlock.rawValue }
  guard let found = QueueHandle.table.find(queue) else { return Status.ok.rawValue }
  // The runs of an inherited queue are the parent's, and its descriptor is closed already.
  guard found.processID == platform_process_id() else { return Status.ok.rawValue }
  guard let closing = QueueHandle.table.remove(queue) else { return Status.ok.rawValue }
  closing.queue.close()
  return Status.ok.rawValue
}

@_cdecl("muster_queue_next") @implementation
public func muster_queue_next(
  _ queue: OpaquePointer?, _ timeoutMilliseconds: Int64, _ event: UnsafeMutablePointer<muster_event>?
) -> muster_status {
  do throws(Failure) {
    let found = try QueueHandle.find(queue)
    guard let event else { throw Failure(.misuse, "event is NULL") }
    let size = event.pointee.struct_size
    guard size >= MemoryLayout<muster_event>.size else {
      throw Failure(.misuse, "muster_event.struct_size is \(size): set it with MUSTER_EVENT_INIT")
    }
    switch found.queue.next(until: .after(milliseconds: timeoutMilliseconds)) {
    case .timedOut: return Status.timeout.rawValue
    case .closed: return Status.closed.rawValue
    case .came(let came):
      event.pointee = structure(of: came, size: size)
      return Status.ok.rawValue
    }
  } catch {
    return error.status.rawValue
  }
}

/// An event as the host sees it. Where there is no memory for its text, that is missing: the end of a call is told all
/// the same.
private func structure(of came: EventQueue.Event, size: Int) -> muster_event {
  var event = muster_event()
  event.struct_size = size
  event.ticket = came.ticket
  event.user_data = UnsafeMutableRawPointer(bitPattern: came.userData)
  let json: [UInt8]?
  switch came.item {
  case .data(let text, let sequence):
    event.kind = MUSTER_EVENT_DATA
    event.sequence = sequence
    json = text
  case .final(let text, let sequence, let failure):
    event.kind = MUSTER_EVENT_FINAL
    event.sequence = sequence
    json = text
    if let failure {
      var error: OpaquePointer?
      event.status = report(failure, &error)
      event.error = error
    }
  case .tool(let text, let isCancel):
    event.kind = isCancel ? MUSTER_EVENT_TOOL_CANCEL : MUSTER_EVENT_TOOL_CALL
    json = text
  }
  if let json, let copy = Text.copy(json) {
    event.json = copy
    event.json_len = json.count
  }
  return event
}

@_cdecl("muster_queue_drain") @implementation
public func muster_queue_drain(
  _ queue: OpaquePointer?, _ timeoutMilliseconds: Int64, _ maximumBytes: Int,
  _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ jsonLength: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  let output = TextOutput(text: json, length: jsonLength)
  output.clear()
  error?.pointee = nil
  let errorOutput = error
  do throws(Failure) {
    let found = try QueueHandle.find(queue)
    // Taken events that go nowhere would be lost.
    guard json != nil else { throw Failure(.misuse, "json is NULL") }
    let maximum = maximumBytes > 0 ? maximumBytes : 1 << 20
    switch found.queue.drain(until: .after(milliseconds: timeoutMilliseconds), maximum: maximum) {
    case .timedOut: throw Failure(.timeout, "no event came in time")
    case .closed: throw Failure(.closed, "the queue was closed")
    case .came(let text):
      try output.give(text)
      return Status.ok.rawValue
    }
  } catch {
    return report(error, errorOutput)
  }
}

@_cdecl("muster_queue_fd") @implementation
public func muster_queue_fd(_ queue: OpaquePointer?) -> Int32 {
  do throws(Failure) {
    return try QueueHandle.find(queue).queue.descriptor ?? -1
  } catch {
    return -1
  }
}

@_cdecl("muster_event_clear") @implementation
public func muster_event_clear(_ event: UnsafeMutablePointer<muster_event>?) {
  guard let event, event.pointee.struct_size >= MemoryLayout<muster_event>.size else { return }
  free(event.pointee.json)
  _ = ErrorHandle.table.remove(event.pointee.error)
  var cleared = muster_event()
  cleared.struct_size = event.pointee.struct_size
  event.pointee = cleared
}

// MARK: - Submitting

@_cdecl("muster_submit") @implementation
public func muster_submit(
  _ plane: OpaquePointer?, _ queue: OpaquePointer?, _ operation: UnsafePointer<CChar>?,
  _ argumentsJSON: UnsafePointer<CChar>?, _ userData: UnsafeMutableRawPointer?,
  _ ticket: UnsafeMutablePointer<muster_ticket>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  submit(plane, queue, userData, ticket, error) { () throws(Failure) in
    let name = try Text.string(operation, "operation")
    let arguments = argumentsJSON == nil ? Arguments() : try Arguments(try Text.json(argumentsJSON, "args_json"))
    return (name, arguments)
  }
}

@_cdecl("muster_agent_invoke_stream") @implementation
public func muster_agent_invoke_stream(
  _ plane: OpaquePointer?, _ queue: OpaquePointer?, _ agentID: UnsafePointer<CChar>?,
  _ version: UnsafePointer<CChar>?, _ bodyJSON: UnsafePointer<CChar>?, _ userData: UnsafeMutableRawPointer?,
  _ ticket: UnsafeMutablePointer<muster_ticket>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  submit(plane, queue, userData, ticket, error) { () throws(Failure) in
    ("agents.invoke_stream", try invocation(agentID, version, bodyJSON))
  }
}

@_cdecl("muster_agent_invoke_async") @implementation
public func muster_agent_invoke_async(
  _ plane: OpaquePointer?, _ agentID: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?,
  _ bodyJSON: UnsafePointer<CChar>?, _ json: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
  _ jsonLength: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<OpaquePointer?>?
) -> muster_status {
  perform(plane, "agents.invoke_async", TextOutput(text: json, length: jsonLength), error) { () throws(Failure) in
    try invocation(agentID, version, bodyJSON)
  }
}

/// Submits a call for an exported function.
private func submit(
  _ plane: OpaquePointer?, _ handle: OpaquePointer?, _ userData: UnsafeMutableRawPointer?,
  _ ticket: UnsafeMutablePointer<muster_ticket>?, _ errorOutput: UnsafeMutablePointer<OpaquePointer?>?,
  _ call: () throws(Failure) -> (name: String, arguments: Arguments)
) -> muster_status {
  ticket?.pointee = 0
  errorOutput?.pointee = nil
  do throws(Failure) {
    let queue = try queue(handle, on: plane)
    let (name, arguments) = try call()
    let number = try queue.submit(name, arguments, userData: UInt(bitPattern: userData))
    ticket?.pointee = number
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}

/// The queue of a handle, which has to be one on the plane.
func queue(_ handle: OpaquePointer?, on plane: OpaquePointer?) throws(Failure) -> EventQueue {
  let found = try PlaneHandle.find(plane)
  let queue = try QueueHandle.find(handle).queue
  guard queue.plane === (try found.local()) else { throw Failure(.misuse, "the queue is one of another plane") }
  return queue
}
