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
    messages: messages ?? [ModelMessage(role: .user, content: .string("hello there"))],
    format: format, reasoningEffort: effort)
}

extension HTTPResponse {
  init(_ body: String, status: Int = 200, headers: [HTTPHeader] = []) {
    self.init(status: status, headers: headers, body: Array(body.utf8))
  }
}

/// A sequence of numbers that is the same in each run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
