/// What the body of an answer is taken from while it is being made: frames of `text/event-stream`.
///
/// A source that is sent on a connection is asked by the thread that serves all connections, outside of the fork gate:
/// none of its functions may wait for anything but a lock that is held briefly.
package protocol AnswerSource: AnyObject, Sendable {
  /// Calls `wake` whenever there may be more to take: from any thread, at any time, also after `closed`, when it does
  /// nothing. Called once, before the first `take`; not at all when nothing of the body is wanted.
  func listen(_ wake: @escaping @Sendable () -> Void)
  /// What there is now, without waiting: at most `maximum` bytes of it. `.nothing` comes between two frames only, because
  /// a comment may be sent then; `.end` after the last.
  func take(maximum: Int) -> AnswerPiece
  /// The last that is called, once: everything was sent (`isComplete`), or the client has gone, wants no body or the
  /// server closes.
  func closed(isComplete: Bool)
}
