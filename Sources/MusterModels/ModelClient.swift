package import MusterSystem

/// Asks models. The seam at which tests put answers of their own.
package protocol ModelClient: AnyObject {
  /// Makes one attempt, on the caller's thread; whether to try again is the caller's decision. From any thread,
  /// several at once.
  ///
  /// An interrupt from any thread ends it at once and closes the connection. `tick` is called on this thread at least
  /// every 50 ms while waiting; by answering false it ends the attempt with `abandoned`.
  func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer

  /// Starts one attempt whose text is told as it comes; from any thread, several at once, and never waiting for the
  /// network. What is thrown is not told to the listener again.
  ///
  /// The listener is held until it has heard the end, and may hear it before this returns.
  func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall
}
