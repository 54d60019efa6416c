import MusterStore
package import MusterSystem

/// How a key stands after a request, as the headers of its answer say it: they speak of the minute.
package struct RateState: Sendable {
  /// Whether the request may go on.
  package let isAdmitted: Bool
  package let limit: Int64
  package let remaining: Int64
  /// When the minute ends, in seconds since 1970.
  package let reset: Int64
  /// In how many seconds a refused request may be made again.
  package let retryAfter: Int64
  /// What to tell about a refusal.
  package let problem: String

  /// A key that has made no request in this minute, or no key at all.
  package init(untouched limits: RateLimits, at time: Timestamp = .now()) {
    self.init(limits, RateCount(isAdmitted: true, counts: [0, 0], time: time))
  }

  init(_ limits: RateLimits, _ count: RateCount) {
    let now = count.time.seconds
    let minute = count.counts.first ?? 0
    let hour = count.counts.last ?? 0
    let isHourFull = hour >= limits.perHour
    isAdmitted = count.isAdmitted
    limit = limits.perMinute
    remaining = max(limits.perMinute - minute, 0)
    reset = RateState.end(of: 60, at: now)
    retryAfter = max(RateState.end(of: isHourFull ? 3600 : 60, at: now) - now, 1)
    problem =
      "Rate limit exceeded: "
      + (isHourFull ? "\(limits.perHour) requests an hour" : "\(limits.perMinute) requests a minute")
      + " (the server's option --rate-limit changes it)"
  }

  private static func end(of seconds: Int64, at now: Int64) -> Int64 { (now / seconds + 1) * seconds }

  /// The answer to a request that was refused.
  package var refusal: Failure { .rest(429, problem) }
}

extension ControlPlane {
  /// Counts a request of a key. It is refused, and then not counted, when the key has used up its minute or its hour.
  package func admit(_ caller: Caller, _ limits: RateLimits) throws(Failure) -> RateState {
    guard let key = caller.keyID else { return RateState(untouched: limits) }
    do throws(StoreError) {
      return RateState(limits, try store.admit(key, limits.windows))
    } catch {
      throw Failure(error)
    }
  }
}
