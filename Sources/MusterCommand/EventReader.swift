import CMuster

/// Reads the events of one submitted call.
final class EventReader {
  /// One event.
  struct Event {
    /// The event as JSON text; nil for an end without one.
    let text: String?
    /// Of the last event: why the call failed, nil if it did not.
    let failure: Plane.CallFailure?
    let isLast: Bool
  }

  private let queue: OpaquePointer
  private let plane: Plane

  /// Submits the call of an operation that gives events.
  init(_ operation: String, _ arguments: Value, on plane: Plane) throws(Plane.CallFailure) {
    self.plane = plane
    var opened: OpaquePointer?
    var error: OpaquePointer?
    var status = muster_queue_open(plane.handle, &opened, &error)
    guard status == MUSTER_OK, let opened else { throw Plane.failure(status, error) }
    queue = opened
    status = muster_submit(plane.handle, queue, operation, arguments.text, nil, nil, &error)
    guard status == MUSTER_OK else { throw Plane.failure(status, error) }
  }

  /// The same, with failures for the shell.
  static func open(_ operation: String, _ arguments: Value, on plane: Plane) throws(Failure) -> EventReader {
    do throws(Plane.CallFailure) {
      return try EventReader(operation, arguments, on: plane)
    } catch {
      throw error.failure
    }
  }

  deinit { _ = muster_queue_close(queue) }

  /// Waits for the next event; nil when none came in that time. A negative one has no limit.
  func next(timeoutMilliseconds: Int64) throws(Plane.CallFailure) -> Event? {
    var event = muster_event()
    event.struct_size = MemoryLayout<muster_event>.size
    let status = muster_queue_next(queue, timeoutMilliseconds, &event)
    if status == MUSTER_E_TIMEOUT { return nil }
    guard status == MUSTER_OK else { throw Plane.failure(status, nil) }
    var failure: Plane.CallFailure?
    if event.status != MUSTER_OK {
      failure = Plane.failure(event.status, event.error)
      event.error = nil
    }
    let text = event.json.map {
      String(decoding: UnsafeRawBufferPointer(start: $0, count: event.json_len), as: UTF8.self)
    }
    let isLast = event.kind == MUSTER_EVENT_FINAL
    muster_event_clear(&event)
    return Event(text: text, failure: failure, isLast: isLast)
  }
}
