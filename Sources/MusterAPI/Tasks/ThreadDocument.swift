import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Writes the messages of a thread from the records of its journal.
enum ThreadDocument {
  /// What was said between the user and the agent.
  static func write(_ records: [JournalRecord], of task: TaskRow, to writer: inout JSONWriter) {
    writer.beginArray()
    for record in records { writeSaid(record, of: task, isFull: false, to: &writer) }
    writer.endArray()
  }

  /// The same with system messages, where a turn brought a new one, and with what tools have answered.
  static func writeFull(
    _ records: [JournalRecord], of task: TaskRow, to writer: inout JSONWriter
  ) throws(RunError) {
    writer.beginArray()
    var traffic = ToolTraffic()
    for record in records {
      if let call = try traffic.take(record) { write(call, record, task, to: &writer) }
      writeSaid(record, of: task, isFull: true, to: &writer)
    }
    writer.endArray()
  }

  private static func writeSaid(
    _ record: JournalRecord, of task: TaskRow, isFull: Bool, to writer: inout JSONWriter
  ) {
    let body = JSON.trusted(record.body)
    switch record.role {
    case .user:
      if isFull, let system = body["system"] { write("system", system, nil, record, task, to: &writer) }
      write("user", body["request"]?["input"]?["text"] ?? .literal("\"\""), nil, record, task, to: &writer)
    case .assistant:
      write("assistant", JournalCoding.said(record) ?? .literal("\"\""), body["usage"], record, task, to: &writer)
    case nil: break
    }
  }

  private static func write(
    _ call: ToolTraffic.Call, _ record: JournalRecord, _ task: TaskRow, to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("id", "\(task.id)_tool_\(record.sequence)")
    writer.member("role", "tool")
    writer.member("content", call.returned.content)
    writer.member("created_at", record.time.seconds)
    writer.member("name", call.request.name)
    writer.member("tool_call_id", call.request.id)
    writer.member("metrics", nil as JSON?)
    writer.endObject()
  }

  private static func write(
    _ role: String, _ content: JSON, _ usage: JSON?, _ record: JournalRecord, _ task: TaskRow,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("id", "\(task.id)_\(role == "assistant" ? "agent" : role)_\(record.turn)")
    writer.member("role", role)
    writer.member("content", content)
    writer.member("created_at", record.time.seconds)
    writer.key("metrics")
    if let prompt = usage?["prompt_tokens"]?.int64, let completion = usage?["completion_tokens"]?.int64 {
      writer.beginObject()
      writer.member("input_tokens", prompt)
      writer.member("output_tokens", completion)
      writer.member("total_tokens", prompt &+ completion)
      writer.endObject()
    } else {
      writer.null()
    }
    writer.endObject()
  }
}
