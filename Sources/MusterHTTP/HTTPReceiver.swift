/// Hears of one request on an `HTTPLoop`: on the loop's thread, one call after another.
///
/// All requests of the loop wait meanwhile, so each function is brief and waits for nothing. It may start and cancel
/// requests of the loop, its own one, too; it must not close the loop. Nothing of the loop waits for a receiver but
/// `close`: whoever closes holds no lock that a receiver takes.
package protocol HTTPReceiver: AnyObject, Sendable {
  /// The final answer's head has come, before its body.
  func began(status: Int, headers: [HTTPHeader])
  /// Some of the body, in order, of whatever status.
  func received(_ bytes: [UInt8])
  /// The last that is heard, without an error when the answer is complete; exactly once for each call that `start`
  /// gave, and perhaps before `start` returns.
  func ended(_ error: HTTPError?)
}
