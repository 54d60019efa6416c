package import MusterJSON

/// What a model answered.
package struct ModelAnswer: Sendable {
  /// A string value; escapes as they came. Empty when there are calls and nothing was said beside them.
  package let text: JSON
  /// `stop`, `length` (the text is cut off) …; nil when the provider did not say.
  package let finishReason: String?
  /// The model that the provider says it used.
  package let model: String?
  /// 0 when the provider did not say.
  package let promptTokens: Int64
  /// 0 when the provider did not say.
  package let completionTokens: Int64
  /// Whether the provider said how many tokens were used.
  package let hasUsage: Bool
  /// The tools that the model asks for, in its order; only of those that are offered anything.
  package let calls: [ModelToolCall]
  /// An object with what else was in a message that has calls, reasoning for instance, to be sent back as it is; nil
  /// when there was nothing.
  package let opaque: JSON?

  package init(
    text: JSON, finishReason: String?, model: String?, promptTokens: Int64, completionTokens: Int64, hasUsage: Bool,
    calls: [ModelToolCall] = [], opaque: JSON? = nil
  ) {
    self.text = text
    self.finishReason = finishReason
    self.model = model
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.hasUsage = hasUsage
    self.calls = calls
    self.opaque = opaque
  }
}
