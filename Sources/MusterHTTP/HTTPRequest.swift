/// One header line; the name as it was written.
package struct HTTPHeader: Sendable, Equatable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  /// Whether this is the header `name`, whose case does not matter.
  package func isNamed(_ name: String) -> Bool {
    HTTPText.isEqualIgnoringCase(self.name.utf8, name.utf8)
  }

  /// Why it cannot be sent; nil when it can. The text does not hold the value.
  package var problem: String? {
    guard HTTPText.isToken(name) else { return "a header has a name that is none" }
    guard HTTPText.isFieldValue(value) else {
      return "the header \(name) has a line break or another control character in its value"
    }
    // They say where the body ends; a wrong one would make the rest of it the next request.
    if isNamed("Content-Length") || isNamed("Transfer-Encoding") || isNamed("Expect") {
      return "the header \(name) cannot be chosen"
    }
    return nil
  }
}

/// A request for one resource.
package struct HTTPRequest: Sendable {
  /// `GET`, `POST` … in upper case.
  package var method: String
  /// An absolute `http` or `https` URL.
  package var url: String
  /// Sent as they are, in order. Content-Length, Transfer-Encoding and Expect are not the caller's to set: such a
  /// request is refused, and so is one with a line break, NUL or other control character in a name or value.
  package var headers: [HTTPHeader]
  package var body: [UInt8]
  /// How long finding the host, connecting and the TLS handshake may take together; at least 1.
  package var connectTimeoutMilliseconds: Int64
  /// A longer response body is an error.
  package var maximumResponseBytes: Int
  /// Which addresses it may connect to. Proxies are for hosts that may have any address: a restricted request goes
  /// straight to its host, because a proxy would connect to wherever it likes.
  package var network: NetworkPolicy
  /// Whether it may be sent again when a kept connection turns out to be closed. One that may not gets a connection of
  /// its own: whether the host has seen it could not be known.
  package var mayRepeat: Bool

  package init(
    method: String, url: String, headers: [HTTPHeader] = [], body: [UInt8] = [],
    connectTimeoutMilliseconds: Int64 = 10_000, maximumResponseBytes: Int = 67_108_864, network: NetworkPolicy = .open,
    mayRepeat: Bool = true
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.maximumResponseBytes = maximumResponseBytes
    self.network = network
    self.mayRepeat = mayRepeat
  }
}
