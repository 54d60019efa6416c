import MusterJSON

/// Writes events of a queue as one JSON array.
struct DrainedEvents {
  private var writer = JSONWriter(capacity: 4096)

  init() { writer.beginArray() }

  /// How many bytes it has so far.
  var size: Int { writer.bytes.count }

  mutating func add(_ event: EventQueue.Event) {
    writer.beginObject()
    writer.member("ticket", Int64(truncatingIfNeeded: event.ticket))
    switch event.item {
    case .data(let json, let sequence):
      writer.member("kind", "data")
      writer.member("sequence", sequence)
      writer.member("json", .trusted(json))
    case .final(let json, let sequence, let failure):
      writer.member("kind", "final")
      writer.member("sequence", sequence)
      writer.member("json", json.map { .trusted($0) } ?? .null)
      writer.member("status", Int64((failure?.status ?? .ok).rawValue))
      if let failure {
        writer.key("error")
        writer.beginObject()
        writer.member("message", failure.message)
        writer.member("http_status", Int64(failure.httpStatus))
        writer.member("retryable", failure.isRetryable)
        writer.member("document", failure.document)
        writer.endObject()
      }
    case .tool(let json, let isCancel):
      writer.member("kind", isCancel ? "tool_cancel" : "tool_call")
      writer.member("sequence", 0)
      writer.member("json", .trusted(json))
    }
    writer.endObject()
  }

  mutating func finish() -> [UInt8] {
    writer.endArray()
    return writer.bytes
  }
}
