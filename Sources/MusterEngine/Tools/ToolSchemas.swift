package import MusterJSON

/// What an agent changes about a tool: which arguments the model is not told of and may not give (`isBlocked`), which are
/// always given (`permanentValue`), what is told of them (`description`), and the same for what the tool answers. Source: the
/// contract's chapter on schemas of tools.
package final class ToolSchemas: Sendable {
  /// As agents and journals hold it: an object with `input` and `output`.
  package let json: JSON
  private let input: JSON?
  private let output: JSON?

  /// Nil when it says nothing, or nothing that can be understood.
  package init?(_ json: JSON) {
    guard ToolSchemas.isReadable(json) else { return nil }
    input = json.present("input").flatMap { $0.isEmpty ? nil : $0.detached }
    output = json.present("output").flatMap { $0.isEmpty ? nil : $0.detached }
    if input == nil, output == nil { return nil }
    self.json = json.detached
  }

  /// Whether all that it says can be understood.
  package static func isReadable(_ json: JSON) -> Bool {
    json.kind == .object
      && json.members.allSatisfy { member in
        member.value.isEmpty
          || (member.key == "input" || member.key == "output") && member.value["properties"]?.kind == .object
      }
  }

  // MARK: - Arguments

  /// A JSON Schema of the arguments as the model sees it.
  package func shown(_ parameters: JSON) -> JSON {
    guard let input else { return parameters }
    return ToolSchemas.shown(parameters, input, root: parameters)
  }

  /// The place of the first argument that is given and may not be, as a JSON pointer.
  package func blocked(in arguments: JSON) -> String? { input.flatMap { ToolSchemas.blocked(arguments, $0) } }

  /// The arguments as the tool gets them: with what is always given.
  package func filled(_ arguments: JSON) -> JSON {
    guard let input, ToolSchemas.hasPermanent(input) else { return arguments }
    return ToolSchemas.filled(arguments, input)
  }

  private static func isBlocked(_ node: JSON) -> Bool { node["isBlocked"]?.bool ?? false }

  private static func shown(_ schema: JSON, _ node: JSON, root: JSON) -> JSON {
    guard let nodes = node["properties"], let properties = schema["properties"] else { return schema }
    var removed: [String] = []
    var writer = JSONWriter(capacity: properties.bytes.count &+ 64)
    writer.beginObject()
    for member in properties.members {
      let own = nodes[member.key]
      if let own, isBlocked(own) || own.present("permanentValue") != nil {
        removed.append(member.key)
        continue
      }
      writer.key(member.lexeme)
      writer.value(own.map { shown(property: member.value, $0, root: root) } ?? member.value)
    }
    writer.endObject()
    var changes: [(key: String, value: JSON)] = [("properties", writer.json)]
    if let required = schema["required"], !removed.isEmpty {
      changes.append(("required", list(required.elements.filter { name in !removed.contains { name.isString($0) } })))
    }
    return schema.setting(changes)
  }

  private static func shown(property: JSON, _ node: JSON, root: JSON) -> JSON {
    var property = property
    if node["properties"] != nil || node["items"] != nil, let named = definition(property, in: root) {
      // What is inside of a named schema is changed here, not wherever the name stands.
      property = named
    }
    guard property.kind == .object else { return property }
    property = shown(property, node, root: root)
    if let inner = node["items"], let items = property["items"], items.kind == .object {
      property = property.setting([("items", shown(property: items, inner, root: root))])
    }
    if let text = node["description"], text.kind == .string, !text.isEmpty {
      property = property.setting([("description", text)])
    }
    return property
  }

  private static func definition(_ property: JSON, in root: JSON) -> JSON? {
    let place = Array("#/$defs/".utf8)
    guard let name = property["$ref"]?.utf8, name.starts(with: place) else { return nil }
    return root["$defs"]?[String(decoding: name.dropFirst(place.count), as: UTF8.self)]
  }

  private static func list(_ elements: [JSON]) -> JSON {
    var writer = JSONWriter()
    writer.beginArray()
    for element in elements { writer.value(element) }
    writer.endArray()
    return writer.json
  }

  private static func blocked(_ value: JSON, _ node: JSON) -> String? {
    for member in node["properties"]?.members ?? [] {
      guard let given = value[member.key] else { continue }
      if isBlocked(member.value) { return "/\(member.key)" }
      if let inner = blocked(given, member.value) { return "/\(member.key)\(inner)" }
    }
    guard let items = node["items"] else { return nil }
    for (index, element) in value.elements.enumerated() {
      if let inner = blocked(element, items) { return "/\(index)\(inner)" }
    }
    return nil
  }

  private static func hasPermanent(_ node: JSON) -> Bool {
    if let items = node["items"], hasPermanent(items) { return true }
    return node["properties"]?.members.contains {
      $0.value.present("permanentValue") != nil || hasPermanent($0.value)
    } ?? false
  }

  private static func filled(_ value: JSON, _ node: JSON) -> JSON {
    switch value.kind {
    case .object:
      var changes: [(key: String, value: JSON)] = []
      for member in node["properties"]?.members ?? [] {
        if let permanent = member.value.present("permanentValue") {
          changes.append((member.key, permanent))
        } else if hasPermanent(member.value) {
          changes.append((member.key, filled(value.present(member.key) ?? empty(member.value), member.value)))
        }
      }
      return changes.isEmpty ? value : value.setting(changes)
    case .array:
      guard let items = node["items"] else { return value }
      return list(value.elements.map { filled($0, items) })
    default: return value
    }
  }

  /// What stands where nothing was given, so that something can be put into it.
  private static func empty(_ node: JSON) -> JSON {
    node["items"] != nil && node["properties"] == nil ? .literal("[{}]") : .literal("{}")
  }

  // MARK: - Answers

  /// Whether answers are changed.
  package var changesAnswers: Bool { output != nil }

  /// An answer as the run gets it: without what is blocked, and with what always stands in place of something.
  package func shaped(_ answer: JSON) -> JSON { output.map { ToolSchemas.shaped(answer, $0) } ?? answer }

  private static func shaped(_ value: JSON, _ node: JSON) -> JSON {
    switch value.kind {
    case .object:
      guard let nodes = node["properties"] else { return value }
      var writer = JSONWriter(capacity: value.bytes.count &+ 64)
      writer.beginObject()
      for member in value.members {
        let own = nodes[member.key]
        if let own, isBlocked(own) { continue }
        writer.key(member.lexeme)
        writer.value(own.map { $0.present("permanentValue") ?? shaped(member.value, $0) } ?? member.value)
      }
      writer.endObject()
      return writer.json
    case .array:
      // Of a list of objects the schema may be that of each.
      let items = node["items"] ?? node
      return list(value.elements.map { shaped($0, items) })
    default: return value
    }
  }
}
