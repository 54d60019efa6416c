import MusterEngine
import MusterJSON

/// Writes calls of tools as events and activity show them. Source: the contract's chapter on streaming.
enum ToolDocument {
  /// A call, and what came of it if that is known.
  static func write(_ request: ToolRequest, _ id: String, _ returned: ToolReturned?, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("request_id", id)
    writer.member("operation_id", request.name)
    writer.member("tool_call_id", request.id)
    writer.member("graph_node_id", nil as String?)
    writer.member("tool_name", request.name)
    writer.member("payload", payload(request))
    writer.member("reasoning", nil as String?)
    if let returned {
      writer.member("result", returned.result)
      writer.member("is_error", returned.isError)
    }
    writer.endObject()
  }

  /// The arguments as the object that they are; as the text that the model wrote if they are none.
  static func payload(_ request: ToolRequest) -> JSON {
    let text = request.arguments.utf8 ?? []
    if text.isEmpty { return .literal("{}") }
    return (try? JSON.parse(text)) ?? request.arguments
  }
}
