package import MusterHTTP
package import MusterJSON

/// One message of a conversation.
package struct ModelMessage: Sendable {
  /// Who speaks.
  package enum Role: Sendable {
    case system, user, assistant

    /// The word on the wire.
    package var word: String {
      switch self {
      case .system: return "system"
      case .user: return "user"
      case .assistant: return "assistant"
      }
    }
  }

  package let role: Role
  /// A string value; its bytes are sent as they are.
  package let content: JSON

  package init(role: Role, content: JSON) {
    self.role = role
    self.content = content
  }
}

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
  /// `low`, `medium` …; nil leaves it to the provider. Models that cannot reason refuse any value.
  package let reasoningEffort: String?
  /// Which addresses the endpoint may have.
  package let network: NetworkPolicy

  package init(
    endpoint: ModelEndpoint, model: String, messages: [ModelMessage], format: ModelFormat = .text,
    reasoningEffort: String? = nil, network: NetworkPolicy = .open
  ) {
    self.endpoint = endpoint
    self.model = model
    self.messages = messages
    self.format = format
    self.reasoningEffort = reasoningEffort
    self.network = network
  }
}
