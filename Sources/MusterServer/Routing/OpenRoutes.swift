import MusterAPI

/// The routes that need no key.
enum OpenRoutes {
  /// The answer of a route that is open; nil when the path is none of them.
  static func answer(_ method: String, _ segments: [String]) -> RESTAnswer? {
    switch segments {
    case ["health"]: return only("GET", method) { .json(200, Array("\"ok\"".utf8)) }
    default: return nil
    }
  }

  private static func only(_ allowed: String, _ method: String, _ answer: () -> RESTAnswer) -> RESTAnswer {
    if method == allowed { return answer() }
    var refused = RESTAnswer.failure(.rest(405, "Method Not Allowed"))
    refused.headers.append(("Allow", allowed))
    return refused
  }
}
