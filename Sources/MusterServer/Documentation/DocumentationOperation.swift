import MusterJSON

/// Shows one operation of an OpenAPI document to people.
struct DocumentationOperation {
  private let method: String
  private let path: String
  private let operation: JSON
  private let components: JSON?

  init(method: String, path: String, operation: JSON, components: JSON?) {
    self.method = String(decoding: method.utf8.map { $0 & 0xdf }, as: UTF8.self)
    self.path = path
    self.operation = operation
    self.components = components
  }

  /// Its name, which is also its place on the page.
  var name: String { operation["operationId"]?.string ?? "" }

  func hasTag(_ tag: String) -> Bool { operation["tags"]?.elements.contains { $0.isString(tag) } ?? false }

  /// Its line in the list of operations.
  func writeEntry(to html: inout HTMLWriter) {
    html.markup("<li><a href=\"#")
    html.text(name)
    html.markup("\">")
    writeMethod(to: &html)
    html.markup(" ")
    html.text(name)
    html.markup("</a></li>")
  }

  private func writeMethod(to html: inout HTMLWriter) {
    html.element("span", class: "method \(method)", method)
  }

  func write(to html: inout HTMLWriter) {
    html.markup("<article id=\"")
    html.text(name)
    html.markup("\"><h3>")
    writeMethod(to: &html)
    html.markup(" ")
    html.element("code", path)
    html.markup("</h3><p class=\"name\">")
    html.link(to: name, name)
    if operation["x-muster-extension"]?.bool == true {
      html.markup(" <span class=\"note\">beyond the documented service</span>")
    }
    if isOpen { html.markup(" <span class=\"note\">needs no key</span>") }
    html.markup("</p><p>")
    html.text(operation["summary"]?.string ?? "")
    html.markup("</p>")
    writeParameters(to: &html)
    writeBody(to: &html)
    writeAnswers(to: &html)
    html.markup("<h4>Example</h4><pre><code>")
    html.text(example)
    html.markup("</code></pre></article>")
  }

  private var isOpen: Bool { operation["security"]?.elements.isEmpty ?? false }

  // MARK: - Request

  private func writeParameters(to html: inout HTMLWriter) {
    let parameters = operation["parameters"]?.elements ?? []
    if parameters.isEmpty { return }
    html.markup(
      "<h4>Parameters</h4><div class=\"scroll\"><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th>Default</th><th></th></tr></thead><tbody>"
    )
    for given in parameters {
      let parameter = DocumentationSchema.reference(given).flatMap { components?["parameters"]?[$0] } ?? given
      let schema = parameter["schema"] ?? .null
      html.markup("<tr><td>")
      html.element("code", parameter["name"]?.string ?? "")
      html.markup("</td><td>")
      html.text(parameter["in"]?.string ?? "")
      html.markup("</td><td>")
      DocumentationSchema.writeType(schema, to: &html)
      html.markup("</td><td>")
      DocumentationSchema.writeDefault(schema, to: &html)
      html.markup("</td><td>")
      html.text(parameter["description"]?.string ?? "")
      html.markup("</td></tr>")
    }
    html.markup("</tbody></table></div>")
  }

  private var body: JSON? { operation["requestBody"]?["content"]?["application/json"] }

  private func writeBody(to html: inout HTMLWriter) {
    guard let schema = body?["schema"] else { return }
    html.markup("<h4>Body</h4>")
    guard let name = DocumentationSchema.reference(schema), let component = components?["schemas"]?[name] else {
      html.markup("<p>")
      DocumentationSchema.writeType(schema, to: &html)
      html.markup("</p>")
      return
    }
    let count = component["properties"]?.members.count ?? 0
    html.markup("<p>")
    html.link(to: DocumentationSchema.place(name), name)
    html.text(": \(component["description"]?.string ?? "") ")
    html.markup("</p>")
    // A long list would hide what comes behind it.
    html.markup(count > 12 ? "<details><summary>" : "<details open><summary>")
    html.text("\(count) fields")
    html.markup("</summary>")
    DocumentationSchema.writeFields(component, to: &html)
    html.markup("</details>")
  }

  // MARK: - Answers

  private func writeAnswers(to html: inout HTMLWriter) {
    html.markup(
      "<h4>Answers</h4><div class=\"scroll\"><table><thead><tr><th>Status</th><th>Body</th><th></th></tr></thead><tbody>"
    )
    for response in operation["responses"]?.members ?? [] {
      let given = response.value
      let answer = DocumentationSchema.reference(given).flatMap { components?["responses"]?[$0] } ?? given
      html.markup("<tr><td>")
      html.element("b", class: response.key.utf8.first == UInt8(ascii: "2") ? "good" : "bad", response.key)
      html.markup("</td><td>")
      if let content = answer["content"]?.members.first {
        DocumentationSchema.writeType(content.value["schema"] ?? .null, to: &html)
      } else {
        html.text("none")
      }
      html.markup("</td><td>")
      html.text(answer["description"]?.string ?? "")
      html.markup("</td></tr>")
    }
    html.markup("</tbody></table></div>")
  }

  // MARK: - Example

  /// A command that can be pasted into a shell, with the ids as variables.
  private var example: String {
    var command = method == "GET" ? "curl" : "curl -X \(method)"
    command += " \"$MUSTER_BASE_URL"
    for scalar in path.unicodeScalars {
      switch scalar {
      case "{": command += "$"
      case "}": break
      default: command.unicodeScalars.append(scalar)
      }
    }
    command += "\""
    if !isOpen { command += " \\\n  -H \"x-api-key: $MUSTER_API_KEY\"" }
    if let body = body?["example"] {
      command += " \\\n  -H 'Content-Type: application/json' \\\n  -d '\(String(decoding: body.bytes, as: UTF8.self))'"
    }
    return command
  }
}
