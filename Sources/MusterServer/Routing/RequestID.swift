import MusterSystem

/// The id under which a request is known in records and to its sender: header `X-Request-Id`.
enum RequestID {
  static let header = "X-Request-Id"

  /// That of the sender if it can stand in a line of text, else a new one.
  static func of(_ request: RESTRequest) -> String {
    of(request.header("x-request-id"))
  }

  /// The same of what the header says.
  static func of(_ given: String?) -> String {
    guard let given, isUsable(given.utf8) else { return Identifier.make() }
    return given
  }

  /// 1 to 128 visible ASCII characters.
  private static func isUsable(_ text: String.UTF8View) -> Bool {
    (1...128).contains(text.count) && text.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }
}
