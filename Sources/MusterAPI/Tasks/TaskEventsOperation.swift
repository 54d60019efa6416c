import MusterJSON
import MusterRuns
import MusterStore

/// The operation `tasks.events`.
enum TaskEventsOperation {
  /// Where the caller goes on: behind `after`.
  static func place(_ call: OperationCall) throws(Failure) -> EventPosition {
    if let number = call.integer("after"), number >= 0 { return EventPosition(sequence: number) }
    guard let text = call.string("after") else { return .start }
    guard let place = EventPosition(text: text) else {
      throw .validation(
        [.key("query"), .key("after")], "value is not the id of an event", type: "value_error.event_id")
    }
    return place
  }

  /// Refuses a task that is not there.
  static func check(_ call: OperationCall) throws(Failure) {
    _ = try TaskOperations.find(call.taskID, call)
  }
}
