package import MusterJSON

/// What a model answered.
package struct ModelAnswer: Sendable {
  /// A string value; escapes as they came.
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

  package init(
    text: JSON, finishReason: String?, model: String?, promptTokens: Int64, completionTokens: Int64, hasUsage: Bool
  ) {
    self.text = text
    self.finishReason = finishReason
    self.model = model
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.hasUsage = hasUsage
  }
}
