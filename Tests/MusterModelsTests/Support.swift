import MusterHTTP
import MusterJSON
import MusterModels

let testKey = "sk-test-0123456789"

func endpoint(
  _ base: String = "http://127.0.0.1:1/v1", key: String? = testKey, headers: [HTTPHeader] = []
) -> ModelEndpoint {
  ModelEndpoint(provider: "openai", base: base, key: key, extraHeaders: headers)
}

func question(
  _ model: String, _ endpoint: ModelEndpoint = endpoint(), _ messages: [ModelMessage]? = nil,
  format: ModelFormat = .text,
  effort: String? = nil, tools: [ModelTool] = []
) -> ModelRequest {
  ModelRequest(
    endpoint: endpoint, model: model,
    messages: messages ?? [.text(.user, .string("hello there"))],
    format: format, tools: tools, reasoningEffort: effort)
}

/// A tool without parameters.
func tool(_ name: String = "look_up", parameters: JSON = .literal(#"{"type":"object"}"#)) -> ModelTool {
  ModelTool(name: name, description: "Looks \"it\" up.", parameters: parameters)
}

/// All of a call in one line, its arguments as they stand in the text.
func line(_ call: ModelToolCall) -> String {
  let opaque = call.opaque.map { " " + String(decoding: $0.bytes, as: UTF8.self) } ?? ""
  return "\(call.id) \(call.name) \(String(decoding: call.arguments.bytes, as: UTF8.self))\(opaque)"
}

extension HTTPResponse {
  init(_ body: String, status: Int = 200, headers: [HTTPHeader] = []) {
    self.init(status: status, headers: headers, body: Array(body.utf8))
  }
}
