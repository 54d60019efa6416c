import MusterAPI

extension RESTAnswer {
  /// Adds what the documented service tells of its limits with each answer.
  mutating func add(_ rate: RateState) {
    headers.append(("X-RateLimit-Limit", "\(rate.limit)"))
    headers.append(("X-RateLimit-Remaining", "\(rate.remaining)"))
    headers.append(("X-RateLimit-Reset", "\(rate.reset)"))
    if !rate.isAdmitted { headers.append(("Retry-After", "\(rate.retryAfter)")) }
  }
}
