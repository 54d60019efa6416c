import MusterJSON

/// Shows schemas to people: in a few words, and as a table of fields.
enum DocumentationSchema {
  /// How deep lists and alternatives are followed.
  private static let deepest = 4

  /// The place of a component on the page.
  static func place(_ name: String) -> String { "schema-\(name)" }

  /// The name of the component that a schema refers to.
  static func reference(_ schema: JSON) -> String? {
    guard let target = schema["$ref"]?.utf8, let slash = target.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return String(decoding: Array(target[(slash + 1)...]), as: UTF8.self)
  }

  /// What a value is, in a few words.
  static func writeType(_ schema: JSON, depth: Int = 0, to html: inout HTMLWriter) {
    if let name = reference(schema) {
      html.link(to: place(name), name)
      return
    }
    guard depth < deepest else {
      html.text("anything")
      return
    }
    if let options = schema["anyOf"]?.elements {
      for (index, option) in options.enumerated() {
        if index > 0 { html.text(" or ") }
        writeType(option, depth: depth + 1, to: &html)
      }
      return
    }
    if let value = schema["const"] {
      html.element("code", String(decoding: value.bytes, as: UTF8.self))
      return
    }
    if let values = schema["enum"]?.elements {
      for (index, value) in values.enumerated() {
        if index > 0 { html.text(", ") }
        html.element("code", value.string ?? String(decoding: value.bytes, as: UTF8.self))
      }
      return
    }
    let types = schema["type"]?.string.map { [$0] } ?? schema["type"]?.elements.compactMap { $0.string } ?? []
    if types.isEmpty { html.text("anything") }
    for (index, type) in types.enumerated() {
      if index > 0 { html.text(" or ") }
      if type == "array", let items = schema["items"] {
        html.text("list of ")
        writeType(items, depth: depth + 1, to: &html)
      } else if type == "object", let values = schema["additionalProperties"], values.kind == .object {
        html.text("map to ")
        writeType(values, depth: depth + 1, to: &html)
      } else {
        html.text(type == "array" ? "list" : type)
        if let format = schema["format"]?.string, type == "string" { html.text(" (\(format))") }
      }
    }
    writeRange(schema, to: &html)
  }

  private static func writeRange(_ schema: JSON, to html: inout HTMLWriter) {
    if let least = schema["minimum"]?.int64 {
      html.text(schema["maximum"]?.int64.map { ", \(least) to \($0)" } ?? ", \(least) or more")
    }
    let least = schema["minLength"]?.int64
    if let most = schema["maxLength"]?.int64 {
      html.text(", \(least ?? 0) to \(most) characters")
    } else if let least {
      html.text(", not empty")
      if least > 1 { html.text(": \(least) characters or more") }
    }
  }

  /// A table of the fields of an object.
  static func writeFields(_ schema: JSON, to html: inout HTMLWriter) {
    let required = schema["required"]?.elements.compactMap { $0.string } ?? []
    html.markup(
      "<div class=\"scroll\"><table><thead><tr><th>Field</th><th>Type</th><th>Default</th><th></th></tr></thead><tbody>"
    )
    for property in schema["properties"]?.members ?? [] {
      html.markup("<tr><td>")
      html.element("code", property.key)
      if required.contains(property.key) { html.markup(" <b class=\"required\">required</b>") }
      html.markup("</td><td>")
      writeType(property.value, to: &html)
      html.markup("</td><td>")
      writeDefault(property.value, to: &html)
      html.markup("</td><td>")
      if property.value["x-muster-inactive"]?.bool == true {
        html.markup("<span class=\"note\">not active yet</span> ")
      }
      html.text(property.value["description"]?.string ?? "")
      html.markup("</td></tr>")
    }
    html.markup("</tbody></table></div>")
  }

  /// The default of a value; one that is long is in its own component.
  static func writeDefault(_ schema: JSON, to html: inout HTMLWriter) {
    guard let value = schema["default"] else { return }
    if value.bytes.count > 60 {
      html.text("as below")
    } else {
      html.element("code", String(decoding: value.bytes, as: UTF8.self))
    }
  }
}
