/// How an attempt ended whose text was heard as it came.
package enum ModelOutcome: Sendable {
  /// The answer is complete; its text is all that was heard, which the listener has kept.
  case answered(ModelAnswerEnd)
  /// There is no usable answer; what was heard of one counts for nothing.
  case failed(ModelFailure)
}
