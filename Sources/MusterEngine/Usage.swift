import MusterJSON

/// What a run has used up so far, with the sub-tasks that it has started.
package struct Usage: Sendable, Equatable {
  package var modelCalls: Int64 = 0
  package var toolCalls: Int64 = 0
  /// As servers have counted; what none has counted is not in it.
  package var inputTokens: Int64 = 0
  package var outputTokens: Int64 = 0
  /// In picodollars, of models whose price is known.
  package var cost: Int64 = 0

  package init() {}

  init(_ json: JSON) {
    modelCalls = json["model_calls"]?.int64 ?? 0
    toolCalls = json["tool_calls"]?.int64 ?? 0
    inputTokens = json["input_tokens"]?.int64 ?? 0
    outputTokens = json["output_tokens"]?.int64 ?? 0
    cost = json["cost"]?.int64 ?? 0
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("model_calls", modelCalls)
    writer.member("tool_calls", toolCalls)
    writer.member("input_tokens", inputTokens)
    writer.member("output_tokens", outputTokens)
    if cost > 0 { writer.member("cost", cost) }
    writer.endObject()
  }

  mutating func add(_ other: Usage) {
    modelCalls &+= other.modelCalls
    toolCalls &+= other.toolCalls
    inputTokens &+= other.inputTokens
    outputTokens &+= other.outputTokens
    let (sum, isTooMuch) = cost.addingReportingOverflow(other.cost)
    cost = isTooMuch ? .max / 4 : sum
  }
}
