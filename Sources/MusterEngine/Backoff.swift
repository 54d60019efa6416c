/// How long to wait before a model is asked again.
enum Backoff {
  private static let first: Int64 = 500
  private static let longest: Int64 = 8_000
  /// The most that a server's own wish counts.
  private static let longestAsked: Int64 = 30_000

  /// Half a second, doubled with each attempt up to eight seconds, of which the last half is spread by the failure's random number; a server
  /// that names a time gets it, up to thirty seconds.
  static func milliseconds(after failure: ModelFailed, attempt: Int64) -> Int64 {
    if let asked = failure.retryAfterMilliseconds { return min(max(asked, 0), longestAsked) }
    let doublings = min(max(attempt, 1) - 1, 8)
    let full = min(first << doublings, longest)
    return full / 2 + full / 2 * min(max(failure.jitter, 0), 999) / 1000
  }
}
