import MusterAPI
import MusterJSON

/// The routes that need no key.
enum OpenRoutes {
  /// The paths, of one segment each.
  private static let names = ["health", "openapi.json", "docs", "metrics"]

  /// Whether a path is open, without a look at the others, which take time to be made.
  static func has(_ segments: [String]) -> Bool { segments.count == 1 && names.contains(segments[0]) }

  /// The answer of a route that is open, with its path; nil when the path is none of them.
  static func answer(_ method: String, _ segments: [String]) -> RESTAnswer? {
    switch segments {
    case ["health"]: return only(method, "/health") { .json(200, Array("\"ok\"".utf8)) }
    case ["openapi.json"]:
      return only(method, "/openapi.json") { .json(200, Array(OpenAPIDocument.json.bytes)) }
    case ["docs"]: return only(method, "/docs") { DocumentationPage.answer }
    default: return nil
    }
  }

  /// Answers GET, and with that HEAD.
  private static func only(_ method: String, _ path: String, _ answer: () -> RESTAnswer) -> RESTAnswer {
    var given = method == "GET" || method == "HEAD" ? answer() : .allowing("GET, HEAD, OPTIONS", to: method)
    given.facts.route = path
    return given
  }
}
