package import MusterHTTP

/// Where a model is asked, and in whose name. Holds a key: neither it nor the headers may be logged or shown.
package struct ModelEndpoint: Sendable, CustomStringConvertible {
  package let provider: String
  /// The URL below which the provider's paths lie, with or without a slash at its end.
  package let base: String
  /// Sent as `Authorization: Bearer`; nil sends none.
  package let key: String?
  /// Sent with each request; one of them takes the place of a header of ours with the same name, `Authorization`
  /// included.
  package let extraHeaders: [HTTPHeader]
  /// Whether the base is the plane's own, and not one that an agent or a request chose.
  package let isOwn: Bool

  package init(
    provider: String, base: String, key: String?, extraHeaders: [HTTPHeader] = [], isOwn: Bool = false
  ) {
    self.provider = provider
    self.base = base
    self.key = key
    self.extraHeaders = extraHeaders
    self.isOwn = isOwn
  }

  /// Provider and host, without key and headers.
  package var description: String { "\(provider) at \(HTTPURL.host(of: base))" }

  /// The URL of a path below the base. A query of the base, which some gateways want, stays at the end.
  func url(_ path: String) -> String {
    let bytes = Array(base.utf8)
    let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
    var front = bytes[..<end]
    while front.last == UInt8(ascii: "/") { front = front.dropLast() }
    return String(decoding: Array(front) + Array(path.utf8) + bytes[end...], as: UTF8.self)
  }
}
