import MusterAPI
import MusterJSON

/// The routes that need no key.
enum OpenRoutes {
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
