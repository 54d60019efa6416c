package import MusterJSON

/// One message of a conversation.
package enum ModelMessage: Sendable {
  /// What somebody said: a JSON string, sent as it is.
  case text(Role, JSON)
  /// What the model said when it asked for tools. text: a JSON string; nil or an empty one: it said nothing beside the
  /// calls. opaque: an object with the message's other members, sent back as they are.
  case calls(text: JSON?, [ModelToolCall], opaque: JSON?)
  /// What came of one call. callID: as in the call; content: a JSON string.
  ///
  /// Providers demand one for each call, right behind the message with the calls.
  case result(callID: String, content: JSON)

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
}
