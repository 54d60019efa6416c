import MusterJSON

/// Writes requests in OpenAI's chat-completions form.
enum OpenAIChatEncoder {
  /// - Parameter streamed: whether the answer shall come in pieces, with the usage in the last one.
  static func encode(_ request: ModelRequest, streamed: Bool = false) -> [UInt8] {
    let contents = request.messages.reduce(512) { $0 &+ $1.content.bytes.count &+ 40 }
    var writer = JSONWriter(capacity: contents)
    writer.beginObject()
    writer.member("model", request.model)
    writer.key("messages")
    writer.beginArray()
    for message in request.messages {
      writer.beginObject()
      writer.member("role", message.role.word)
      writer.member("content", message.content)
      writer.endObject()
    }
    writer.endArray()
    if case .json(let schema) = request.format { encode(schema, to: &writer) }
    if let effort = request.reasoningEffort { writer.member("reasoning_effort", effort) }
    if streamed {
      writer.member("stream", true)
      writer.member("stream_options", .literal(#"{"include_usage":true}"#))
    }
    writer.endObject()
    return writer.bytes
  }

  private static func encode(_ schema: JSON?, to writer: inout JSONWriter) {
    writer.key("response_format")
    writer.beginObject()
    writer.member("type", schema == nil ? "json_object" : "json_schema")
    if let schema {
      writer.key("json_schema")
      writer.beginObject()
      // OpenAI demands a name.
      writer.member("name", "answer")
      writer.member("schema", schema)
      // Strict is for schemas that require each property and forbid all others; OpenAI refuses any other, and ours
      // come from users.
      writer.member("strict", false)
      writer.endObject()
    }
    writer.endObject()
  }
}
