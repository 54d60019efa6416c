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
  effort: String? = nil
) -> ModelRequest {
  ModelRequest(
    endpoint: endpoint, model: model,
    messages: messages ?? [.text(.user, .string("hello there"))],
    format: format, reasoningEffort: effort)
}

extension HTTPResponse {
  init(_ body: String, status: Int = 200, headers: [HTTPHeader] = []) {
    self.init(status: status, headers: headers, body: Array(body.utf8))
  }
}
