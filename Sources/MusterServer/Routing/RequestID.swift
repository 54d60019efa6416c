import MusterSystem

/// The id under which a request is known in records and to its sender: header `X-Request-Id`.
enum RequestID {
  /// That of the sender if it can stand in a line of text, else a new one.
  static func of(_ request: RESTRequest) -> String {
    guard let given = request.header("x-request-id"), isUsable(given.utf8) else { return Identifier.make() }
    return given
  }

  /// 1 to 128 visible ASCII characters.
  private static func isUsable(_ text: String.UTF8View) -> Bool {
    (1...128).contains(text.count) && text.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }
}
