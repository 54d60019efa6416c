import MusterJSON
import MusterStore
import MusterSystem

/// The operation `tasks.activity`. Source: the contract's chapter on tasks, in the form that the Python client reads.
enum TaskActivityOperation {
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try TaskOperations.find(call.taskID, call)
    let records = try call.store { () throws(StoreError) in try call.plane.store.texts(of: task) }
    var user: JSON?
    var messages = JSONWriter(capacity: 4096)
    messages.beginArray()
    for record in records {
      let body = JSON.trusted(record.body)
      if let request = body["request"] {
        user = request["input"]?.present("user") ?? user
        write("user", request["input"]?["text"], request["input"]?["files"], user, record, task, to: &messages)
      } else if let text = body.present("text") {
        write("agent", text, nil, nil, record, task, to: &messages)
      }
    }
    messages.endArray()
    var writer = JSONWriter(capacity: messages.bytes.count &+ 256)
    writer.beginObject()
    writer.member("id", task.id)
    writer.member("created_at", task.createdAt.iso8601)
    writer.member("user", user)
    writer.member("messages", messages.json)
    writer.endObject()
    return .json(writer.bytes)
  }

  private static func write(
    _ role: String, _ text: JSON?, _ files: JSON?, _ user: JSON?, _ record: JournalRecord, _ task: TaskRow,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("id", "\(task.id)_\(record.sequence)")
    writer.member("created_at", record.time.iso8601)
    writer.member("role", role)
    writer.key("content")
    writer.beginObject()
    writer.member("text", text ?? .literal("\"\""))
    writer.member("files", files ?? .literal("[]"))
    writer.endObject()
    writer.member("sub_execution_result", false)
    writer.member("user", user)
    writer.endObject()
  }
}
