import MusterEngine
import MusterJSON
import MusterRuns
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
    var traffic = ToolTraffic()
    for record in records {
      let tool: ToolTraffic.Call?
      do throws(RunError) {
        tool = try traffic.take(record)
      } catch {
        throw Failure(error)
      }
      if let tool { write(tool, record, task, to: &messages) }
      let body = JSON.trusted(record.body)
      if let request = body["request"] {
        user = request["input"]?.present("user") ?? user
        write("user", request["input"]?["text"], request["input"]?["files"], user, record, task, to: &messages)
      } else if let text = record.role == .assistant ? JournalCoding.said(record) : JournalCoding.cutOff(record) {
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

  /// A call of a tool, or the start of an agent.
  private static func write(
    _ call: ToolTraffic.Call, _ record: JournalRecord, _ task: TaskRow, to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("id", call.id)
    writer.member("created_at", record.time.iso8601)
    if let agent = call.agent {
      writer.member("agent_id", agent)
      writer.member("query", ToolDocument.payload(call.request)["task"])
      writer.member("files", .literal("[]"))
      writer.member("reasoning", .literal(#"{"title":null,"description":null}"#))
    } else {
      writer.member("tool_name", call.request.name)
      writer.member("payload", ToolDocument.payload(call.request))
      writer.member("is_error", call.returned.isError)
      writer.member("reasoning", nil as JSON?)
      writer.member("result", call.returned.result)
    }
    writer.member("plan_task_id", nil as JSON?)
    writer.endObject()
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
