package import MusterHTTP
package import MusterJSON

/// What form the answer has to have.
package enum ModelFormat: Sendable {
  case text
  /// JSON, of this schema if there is one. Providers follow a schema as well as they can; the answer has to be
  /// checked all the same. Without a schema OpenAI demands that a message has the word JSON in it.
  case json(schema: JSON?)
}

/// One question to a model: everything that it is told, since providers remember nothing. One object, which is handed on.
package final class ModelRequest: Sendable {
  package let endpoint: ModelEndpoint
  package let model: String
  package let messages: [ModelMessage]
  package let format: ModelFormat
  /// What the model may ask for; an answer that asks for tools where there are none is no answer.
  package let tools: [ModelTool]
  /// `low`, `medium` …; nil leaves it to the provider. Models that cannot reason refuse any value.
  package let reasoningEffort: String?
  /// How long the answer may be; nil leaves it to the provider.
  package let mostTokens: Int64?
  /// Which addresses the endpoint may have.
  package let network: NetworkPolicy

  package init(
    endpoint: ModelEndpoint, model: String, messages: [ModelMessage], format: ModelFormat = .text,
    tools: [ModelTool] = [], reasoningEffort: String? = nil, mostTokens: Int64? = nil, network: NetworkPolicy = .open
  ) {
    self.endpoint = endpoint
    self.model = model
    self.messages = messages
    self.format = format
    self.tools = tools
    self.reasoningEffort = reasoningEffort
    self.mostTokens = mostTokens
    self.network = network
  }
}
