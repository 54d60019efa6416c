/// What an answer's source has at the moment.
package enum AnswerPiece: Sendable {
  case bytes([UInt8])
  /// Nothing until it wakes whoever listens.
  case nothing
  /// Nothing any more.
  case end
}
