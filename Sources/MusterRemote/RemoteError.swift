package import MusterSystem

/// Why there is no answer of a service.
package enum RemoteError: Error, Equatable {
  /// The address or the key cannot be used as they are.
  case misuse(String)
  /// There is no usable libcurl on this machine.
  case unavailable(String)
  /// A value of the path cannot stand in a URL, so the service can have nothing of that name.
  case unaddressable
  /// The service cannot be reached, is not trusted, or broke off. `isTransient`: trying again may help, and repeats
  /// nothing, since nothing was sent.
  case network(String, isTransient: Bool)
  /// What answered is no such service.
  case noService(String, httpStatus: Int32)
  /// The answer has more bytes than this.
  case tooLarge(Int)
  case timedOut
  case interrupted(Interrupt.Reason)
}
