package import MusterJSON

/// What a turn may use up. Crossing a limit ends it, `failed`, with the limit's name.
package struct Limits: Sendable, Equatable {
  package var modelCalls: Int64?
  package var toolCalls: Int64?
  package var inputTokens: Int64?
  package var outputTokens: Int64?
  /// In picodollars.
  package var cost: Int64?
  /// From the beginning of the turn.
  package var seconds: Int64?
  /// How many tasks may be below each other: at 0 no sub-task is started.
  package var depth: Int64?
  /// Beyond so many calls of tools, further ones are not made, and the model is told so.
  package var toolCallsAnswered: Int64?

  package init() {}

  /// Reads what stands beside the attempts and repairs in `limits` of a turn's beginning.
  init(_ json: JSON) {
    modelCalls = json["model_calls"]?.int64
    toolCalls = json["tool_calls"]?.int64
    inputTokens = json["input_tokens"]?.int64
    outputTokens = json["output_tokens"]?.int64
    cost = json["cost"]?.int64
    seconds = json["seconds"]?.int64
    depth = json["depth"]?.int64
    toolCallsAnswered = json["tool_calls_answered"]?.int64
  }

  func write(to writer: inout JSONWriter) {
    if let modelCalls { writer.member("model_calls", modelCalls) }
    if let toolCalls { writer.member("tool_calls", toolCalls) }
    if let inputTokens { writer.member("input_tokens", inputTokens) }
    if let outputTokens { writer.member("output_tokens", outputTokens) }
    if let cost { writer.member("cost", cost) }
    if let seconds { writer.member("seconds", seconds) }
    if let depth { writer.member("depth", depth) }
    if let toolCallsAnswered { writer.member("tool_calls_answered", toolCallsAnswered) }
  }

  /// What a request asks for; these limits where it says nothing. Dollars that nobody can count are as many as can be.
  package func asked(_ request: JSON?) -> Limits {
    var limits = self
    limits.modelCalls = request?["model_calls"]?.int64 ?? modelCalls
    limits.toolCalls = request?["tool_calls"]?.int64 ?? toolCalls
    limits.inputTokens = request?["input_tokens"]?.int64 ?? inputTokens
    limits.outputTokens = request?["output_tokens"]?.int64 ?? outputTokens
    limits.cost = request?["cost"]?.double.flatMap { Price.picodollars($0) } ?? cost
    limits.seconds = request?["seconds"]?.int64 ?? seconds
    limits.depth = request?["depth"]?.int64 ?? depth
    return limits
  }

  /// Whether not even one question can be asked.
  package var isUsedUp: Bool { modelCalls == 0 || inputTokens == 0 || outputTokens == 0 || cost == 0 }

  /// The share of what is left that one of several sub-tasks may use up which are started at the same time: together they
  /// cannot use up more than there is.
  package func share(after usage: Usage, among count: Int) -> Limits {
    var limits = Limits()
    let parts = Int64(max(count, 1))
    func part(_ most: Int64?, _ used: Int64) -> Int64? { most.map { max($0 &- used, 0) / parts } }
    limits.modelCalls = part(modelCalls, usage.modelCalls)
    limits.toolCalls = part(toolCalls, usage.toolCalls)
    limits.inputTokens = part(inputTokens, usage.inputTokens)
    limits.outputTokens = part(outputTokens, usage.outputTokens)
    limits.cost = part(cost, usage.cost)
    limits.depth = depth
    return limits
  }
}
