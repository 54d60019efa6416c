/// Hears an answer while it comes. One function at a time, on the network's thread: each has to be brief and must not
/// wait.
package protocol ModelListener: AnyObject, Sendable {
  /// Some text: UTF-8, whole characters, at least one of them, in order. Nobody else keeps it.
  func heard(_ text: [UInt8])
  /// The last that is heard; exactly once for each call that `start` gave.
  func ended(_ outcome: ModelOutcome)
}
