import MusterAPI
import MusterJSON

/// The page that shows the OpenAPI document to people. It loads nothing and runs nothing.
enum DocumentationPage {
  /// The answer with the page of this build; made once.
  static let answer = RESTAnswer(
    status: 200,
    headers: [
      ("Content-Type", "text/html; charset=utf-8"),
      (
        "Content-Security-Policy",
        "default-src 'none'; style-src '\(DocumentationStyle.hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
      ),
      ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
    ], body: make(OpenAPIDocument.json))

  static func make(_ document: JSON) -> [UInt8] {
    let components = document["components"]
    var operations: [DocumentationOperation] = []
    for path in document["paths"]?.members ?? [] {
      for method in path.value.members {
        operations.append(
          DocumentationOperation(
            method: method.key, path: path.key, operation: method.value, components: components))
      }
    }
    let tags = document["tags"]?.elements.compactMap { $0["name"]?.string } ?? []
    let schemas = components?["schemas"]?.members ?? []
    var html = HTMLWriter(capacity: 1 << 18)
    html.markup("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">")
    html.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
    html.markup("<meta name=\"color-scheme\" content=\"light dark\"><title>Muster REST API</title><style>")
    html.markup(DocumentationStyle.text)
    html.markup("</style></head><body><nav aria-label=\"Operations\">")
    html.markup("<p class=\"brand\"><a href=\"#top\">Muster</a></p>")
    for tag in tags {
      html.element("h2", tag)
      html.markup("<ul>")
      for operation in operations where operation.hasTag(tag) { operation.writeEntry(to: &html) }
      html.markup("</ul>")
    }
    html.markup("<h2><a href=\"#schemas\">schemas</a></h2></nav><main id=\"top\"><h1>Muster REST API</h1>")
    writeIntroduction(document, to: &html)
    for tag in tags {
      html.markup("<section>")
      html.element("h2", tag)
      for operation in operations where operation.hasTag(tag) { operation.write(to: &html) }
      html.markup("</section>")
    }
    html.markup("<section id=\"schemas\"><h2>schemas</h2>")
    for schema in schemas { write(schema, to: &html) }
    html.markup("</section></main></body></html>")
    return html.bytes
  }

  private static func writeIntroduction(_ document: JSON, to html: inout HTMLWriter) {
    let information = document["info"]
    html.markup("<p class=\"name\">version ")
    html.text(information?["version"]?.string ?? "")
    html.markup(" · <a href=\"openapi.json\">openapi.json</a></p><p>")
    html.text(information?["description"]?.string ?? "")
    html.markup(
      "</p><p>The examples are for a shell in which <code>MUSTER_BASE_URL</code> is the address of this service and ")
    html.markup("<code>MUSTER_API_KEY</code> a key of yours.</p>")
  }

  private static func write(_ schema: JSON.Member, to html: inout HTMLWriter) {
    html.markup("<article id=\"")
    html.text(DocumentationSchema.place(schema.key))
    html.markup("\">")
    html.element("h3", schema.key)
    if let description = schema.value["description"]?.string { html.element("p", description) }
    if schema.value["properties"] != nil {
      DocumentationSchema.writeFields(schema.value, to: &html)
    } else {
      html.markup("<p>")
      DocumentationSchema.writeType(schema.value, to: &html)
      html.markup("</p>")
    }
    html.markup("</article>")
  }
}
