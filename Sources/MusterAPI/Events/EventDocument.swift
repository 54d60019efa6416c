import MusterEngine
import MusterJSON
import MusterRuns
import MusterSystem

/// Writes events in the documented envelope, with one key more: `id`, the place behind the event, for who goes on there.
/// Source: the contract's chapter on streaming.
enum EventDocument {
  static func make(_ event: TaskEvent) throws(Failure) -> [UInt8] {
    switch event.content {
    case .chunk(let text):
      var writer = JSONWriter(capacity: text.count &+ 256)
      begin(#""chunk""#, event, &writer)
      writer.value(utf8: text)
      writer.endObject()
      return writer.bytes
    case .created(let snapshot): return try make(#""task_created""#, event, snapshot)
    case .updated(let snapshot): return try make(#""task_updated""#, event, snapshot)
    case .toolAsked(let request, let id): return make(#""tool_call_request""#, event, request, id, nil)
    case .agentTriggered(let agent, let id, let query): return make(event, agent, id, query)
    case .toolReturned(let request, let id, let returned):
      return make(#""tool_call_result""#, event, request, id, returned)
    case .finished(let snapshot): return try make(#""task_finished""#, event, snapshot)
    }
  }

  private static func make(
    _ type: StaticString, _ event: TaskEvent, _ snapshot: TaskSnapshot
  ) throws(Failure) -> [UInt8] {
    let task = try TaskDocument.make(snapshot)
    var writer = JSONWriter(capacity: task.count &+ 256)
    begin(type, event, &writer)
    writer.value(.trusted(task))
    writer.endObject()
    return writer.bytes
  }

  private static func make(
    _ type: StaticString, _ event: TaskEvent, _ request: ToolRequest, _ id: String, _ returned: ToolReturned?
  ) -> [UInt8] {
    var writer = JSONWriter(
      capacity: request.arguments.bytes.count &+ (returned?.result.bytes.count ?? 0) &+ 512)
    begin(type, event, &writer)
    ToolDocument.write(request, id, returned, to: &writer)
    writer.endObject()
    return writer.bytes
  }

  private static func make(_ event: TaskEvent, _ agent: String, _ id: String, _ query: JSON?) -> [UInt8] {
    var writer = JSONWriter(capacity: (query?.bytes.count ?? 0) &+ 512)
    begin(#""sub_agent_trigger""#, event, &writer)
    writer.beginObject()
    writer.member("request_id", id)
    writer.member("agent_id", agent)
    writer.member("query", query)
    writer.member("files", .literal("[]"))
    writer.member("reasoning", .literal(#"{"title":null,"description":null}"#))
    writer.member("plan_task_id", nil as String?)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  private static func begin(_ type: StaticString, _ event: TaskEvent, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("type", .literal(type))
    writer.member("task_id", event.taskID)
    writer.member("organization_id", event.organizationID)
    writer.member("time", event.time.iso8601)
    writer.member("id", event.position.text)
    writer.key("data")
  }
}
