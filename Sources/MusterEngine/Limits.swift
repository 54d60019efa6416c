import MusterJSON

/// What a turn may use up. Crossing a limit ends it, `failed`, with the limit's name.
package struct Limits: Sendable, Equatable {
  package var modelCalls: Int64?
  package var toolCalls: Int64?
  package var inputTokens: Int64?
  package var outputTokens: Int64?
  /// Beyond so many calls of tools, further ones are not made, and the model is told so.
  package var toolCallsAnswered: Int64?

  package init() {}

  /// Reads what stands beside the attempts and repairs in `limits` of a turn's beginning.
  init(_ json: JSON) {
    modelCalls = json["model_calls"]?.int64
    toolCalls = json["tool_calls"]?.int64
    inputTokens = json["input_tokens"]?.int64
    outputTokens = json["output_tokens"]?.int64
    toolCallsAnswered = json["tool_calls_answered"]?.int64
  }

  func write(to writer: inout JSONWriter) {
    if let modelCalls { writer.member("model_calls", modelCalls) }
    if let toolCalls { writer.member("tool_calls", toolCalls) }
    if let inputTokens { writer.member("input_tokens", inputTokens) }
    if let outputTokens { writer.member("output_tokens", outputTokens) }
    if let toolCallsAnswered { writer.member("tool_calls_answered", toolCallsAnswered) }
  }
}
