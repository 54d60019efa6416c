package import MusterSystem

/// Why there is no response. The texts are one line and hold no user names or passwords of a URL.
package enum HTTPError: Error, Equatable {
  /// There is no usable libcurl on this machine.
  case unavailable(String)
  /// Not an absolute `http` or `https` URL.
  case invalidURL(String)
  /// The host was not found, did not answer, or the proxy or TLS failed. Nothing was sent.
  case cannotConnect(String)
  /// The host's certificate is not trusted, or the trusted ones cannot be read. Nothing was sent.
  case untrusted(String)
  /// The request's network policy does not allow the address of this host, which is given as it stands in the URL.
  /// Nothing was sent.
  case forbidden(String)
  /// The connection failed after it was made, or the answer ended early. The request may have been received.
  case broken(String)
  /// The answer has more bytes than this limit.
  case tooLarge(Int)
  /// The deadline has passed.
  case timedOut
  case interrupted(Interrupt.Reason)
  /// The caller's `tick` said to stop.
  case abandoned
  /// The request cannot be sent as it is, or libcurl failed by itself.
  case failed(String)
}
