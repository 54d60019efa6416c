import CPlatform
import MusterAPI
import MusterSystem

/// What a `muster_queue *` stands for.
final class QueueHandle: Sendable {
  static let table = HandleTable<QueueHandle>(tag: 0xc3)

  let queue: EventQueue
  let processID = platform_process_id()

  init(queue: EventQueue) { self.queue = queue }

  /// The open queue of a handle, for a call from this thread.
  static func find(_ handle: OpaquePointer?) throws(Failure) -> QueueHandle {
    if Host.isInCallback { throw Failure(.wouldDeadlock, "a callback may not use a queue") }
    guard let found = table.find(handle) else {
      throw Failure(.badHandle, "the handle of the queue is NULL, closed, or none")
    }
    guard found.processID == platform_process_id() else {
      throw Failure(.forked, "the queue was opened before this process was forked: open one of its own")
    }
    return found
  }
}
