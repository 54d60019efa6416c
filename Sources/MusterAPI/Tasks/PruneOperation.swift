import MusterJSON
import MusterStore
import MusterSystem

/// Removing old tasks.
enum PruneOperation {
  static let all: [Operation] = [
    Operation(
      "tasks.prune", "POST", "/v1/tasks/prune",
      "Removes tasks that ended and were last changed before a time, with their sub-tasks; in steps, so that others can write meanwhile.",
      body: .init("PruneTasks", example: #"{"before":"2026-01-01T00:00:00Z"}"#), answer: "PrunedTasks",
      isExtension: true, failures: [504], handler: prune)
  ]

  @Sendable private static func prune(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    guard let time = call.body["before"]?.string.flatMap({ Timestamp(iso8601: $0) }) else {
      throw .validation([.key("body"), .key("before")], "invalid datetime format", type: "value_error.datetime")
    }
    let deleted = try prune(call, before: time, ofAgent: call.body["agent_id"]?.string)
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("deleted", deleted)
    writer.endObject()
    return .json(writer.bytes)
  }

  private static func prune(
    _ call: OperationCall, before time: Timestamp, ofAgent agent: String?
  ) throws(Failure) -> Int64 {
    let store = call.plane.store
    let organization = call.organizationID
    var deleted: Int64 = 0
    var position: Int64 = 0
    while true {
      try StoreOperations.requirePatience(call)
      let from = position
      let batch = try call.store { () throws(StoreError) in
        try store.prunableTasks(before: time, ofAgent: agent, in: organization, after: from)
      }
      guard let next = batch.next else { return deleted }
      position = next
      let removed = try call.store { () throws(StoreError) in
        try store.pruneTasks(
          batch.ids, before: time, in: organization, durable: call.plane.configuration.isDurable)
      }
      deleted &+= Int64(removed.count)
    }
  }
}
