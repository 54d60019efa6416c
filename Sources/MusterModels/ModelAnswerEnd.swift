package import MusterJSON

/// What belongs to an answer beside its text, when that was heard in pieces: the text is kept once, by who heard it.
package struct ModelAnswerEnd: Sendable {
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
    finishReason: String?, model: String?, promptTokens: Int64, completionTokens: Int64, hasUsage: Bool,
    calls: [ModelToolCall] = [], opaque: JSON? = nil
  ) {
    self.finishReason = finishReason
    self.model = model
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
    self.hasUsage = hasUsage
    self.calls = calls
    self.opaque = opaque
  }

  /// The end of an answer that is there as a whole.
  package init(of answer: ModelAnswer) {
    self.init(
      finishReason: answer.finishReason, model: answer.model, promptTokens: answer.promptTokens,
      completionTokens: answer.completionTokens, hasUsage: answer.hasUsage, calls: answer.calls, opaque: answer.opaque)
  }

  /// The whole answer.
  ///
  /// - Parameter heard: all that was heard, joined.
  package func answer(heard text: [UInt8]) -> ModelAnswer {
    var writer = JSONWriter(capacity: text.count &+ 2)
    writer.value(utf8: text)
    return ModelAnswer(
      text: writer.json, finishReason: finishReason, model: model, promptTokens: promptTokens,
      completionTokens: completionTokens, hasUsage: hasUsage, calls: calls, opaque: opaque)
  }
}
