package import MusterHTTP

/// What a REST service is told.
package struct RESTSettings: Sendable {
  /// Which addresses may be asked on behalf of the callers, where it is not the plane that chose them.
  package var network: NetworkPolicy

  package init(network: NetworkPolicy = .public) {
    self.network = network
  }
}
