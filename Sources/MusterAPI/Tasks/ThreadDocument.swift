import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Writes the messages of a thread from the records of its journal.
enum ThreadDocument {
  /// - Parameter full: system messages too, where a turn brought a new one.
  static func write(_ records: [JournalRecord], of task: TaskRow, full: Bool, to writer: inout JSONWriter) {
    writer.beginArray()
    for record in records {
      let body = JSON.trusted(record.body)
      switch record.role {
      case .user:
        if full, let system = body["system"] { write("system", system, nil, record, task, to: &writer) }
        write("user", body["request"]?["input"]?["text"] ?? .literal("\"\""), nil, record, task, to: &writer)
      case .assistant:
        write("assistant", JournalCoding.said(record) ?? .literal("\"\""), body["usage"], record, task, to: &writer)
      case nil: break
      }
    }
    writer.endArray()
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
