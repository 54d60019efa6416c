import MusterJSON

/// Writes requests in OpenAI's chat-completions form.
enum OpenAIChatEncoder {
  /// - Parameter streamed: whether the answer shall come in pieces, with the usage in the last one.
  static func encode(_ request: ModelRequest, streamed: Bool = false) -> [UInt8] {
    let contents = request.messages.reduce(512) { $0 &+ size($1) &+ 40 }
    var writer = JSONWriter(capacity: contents)
    writer.beginObject()
    writer.member("model", request.model)
    writer.key("messages")
    writer.beginArray()
    for message in request.messages {
      writer.beginObject()
      switch message {
      case .text(let role, let content):
        writer.member("role", role.word)
        writer.member("content", content)
      case .calls(let text, let calls, let opaque):
        writer.member("role", "assistant")
        // Nothing is null: some refuse an empty text.
        writer.member("content", text?.isEmpty ?? true ? nil : text)
        encode(calls, to: &writer)
        if let opaque { writer.members(of: opaque) }
      case .result(let callID, let content):
        writer.member("role", "tool")
        writer.member("tool_call_id", callID)
        writer.member("content", content)
      }
      writer.endObject()
    }
    writer.endArray()
    if !request.tools.isEmpty { encode(request.tools, to: &writer) }
    if case .json(let schema) = request.format { encode(schema, to: &writer) }
    if let effort = request.reasoningEffort { writer.member("reasoning_effort", effort) }
    if let most = request.mostTokens {
      // What OpenAI's own service calls it now, and what the others have always called it.
      if request.endpoint.provider == "openai" {
        writer.member("max_completion_tokens", most)
      } else {
        writer.member("max_tokens", most)
      }
    }
    if streamed {
      writer.member("stream", true)
      writer.member("stream_options", .literal(#"{"include_usage":true}"#))
    }
    writer.endObject()
    return writer.bytes
  }

  /// About how long the text of a message is.
  private static func size(_ message: ModelMessage) -> Int {
    switch message {
    case .text(_, let content), .result(_, let content): return content.bytes.count
    case .calls(let text, let calls, let opaque):
      let texts = (text?.bytes.count ?? 0) &+ (opaque?.bytes.count ?? 0)
      return calls.reduce(texts) { $0 &+ $1.arguments.bytes.count &+ 120 }
    }
  }

  private static func encode(_ calls: [ModelToolCall], to writer: inout JSONWriter) {
    writer.key("tool_calls")
    writer.beginArray()
    for call in calls {
      writer.beginObject()
      writer.member("id", call.id)
      beginFunction(name(call.name), to: &writer)
      writer.member("arguments", arguments(call.arguments))
      writer.endObject()
      if let opaque = call.opaque { writer.members(of: opaque) }
      writer.endObject()
    }
    writer.endArray()
  }

  /// The name of a call: what the model made up may have characters that OpenAI refuses, again and again.
  private static func name(_ name: String) -> String {
    var bytes: [UInt8] = []
    for byte in name.utf8.prefix(64) {
      let isLetter = byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      bytes.append(isLetter || isDigit || byte == UInt8(ascii: "-") ? byte : UInt8(ascii: "_"))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The arguments of a call: llama.cpp, vLLM and SGLang parse them for their templates, and refuse the conversation for
  /// ever when they are no object. The model is shown what it wrote, within one.
  private static func arguments(_ arguments: JSON) -> JSON {
    if arguments.isEmpty { return .literal(#""{}""#) }
    if let text = arguments.utf8, (try? JSON.parse(text))?.kind == .object { return arguments }
    var object = Array(#"{"INVALID_JSON":"#.utf8)
    object.append(contentsOf: arguments.bytes)
    object.append(UInt8(ascii: "}"))
    var writer = JSONWriter(capacity: object.count &* 2)
    writer.value(utf8: object)
    return writer.json
  }

  private static func encode(_ tools: [ModelTool], to writer: inout JSONWriter) {
    writer.key("tools")
    writer.beginArray()
    for tool in tools {
      writer.beginObject()
      beginFunction(tool.name, to: &writer)
      writer.member("description", tool.description)
      writer.member("parameters", tool.parameters)
      writer.endObject()
      writer.endObject()
    }
    writer.endArray()
  }

  /// The type, and the beginning of the object that names a function.
  private static func beginFunction(_ name: String, to writer: inout JSONWriter) {
    writer.member("type", "function")
    writer.key("function")
    writer.beginObject()
    writer.member("name", name)
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
