package import MusterAPI
package import MusterHTTP

/// What a REST service is told.
package struct RESTSettings: Sendable {
  /// Which addresses may be asked on behalf of the callers, where it is not the plane that chose them.
  package var network: NetworkPolicy
  /// What each key may do in a minute and in an hour; nil: any number of requests.
  package var rateLimits: RateLimits?

  package init(network: NetworkPolicy = .public, rateLimits: RateLimits? = nil) {
    self.network = network
    self.rateLimits = rateLimits
  }
}
