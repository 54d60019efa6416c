import MusterJSON

/// Finds what a document asks for and this version does not do: a field that the schemas mark as inactive, with another value than its default or an
/// empty one. Storing such a value is fine; running with it would ignore it silently.
struct InactiveFields: Sendable {
  private indirect enum Field: Sendable {
    /// The values with which it asks for nothing.
    case inactive(neutral: [JSON])
    case inner([String: Field])
  }

  private let fields: [String: Field]

  /// The fields of agents.
  static let agent = InactiveFields(component: "AIAgent")
  /// The fields of the body of an invoke.
  static let invoke = InactiveFields(component: "InvokeAgent")

  private init(component: String) {
    if let schema = SchemaCatalogue.compiled(component) {
      fields = InactiveFields.collect(schema.root, depth: 0)
    } else {
      fields = [:]
    }
  }

  private static func collect(_ node: JSONSchemaNode, depth: Int) -> [String: Field] {
    var found: [String: Field] = [:]
    guard depth < 4 else { return found }
    for property in node.properties {
      if property.node.annotation("x-muster-inactive")?.bool == true {
        found[property.name] = .inactive(
          neutral: [property.node.defaultValue, property.node.annotation("x-muster-neutral")].compactMap { $0 })
      } else {
        let inner = collect(property.node, depth: depth + 1)
        if !inner.isEmpty { found[property.name] = .inner(inner) }
      }
    }
    return found
  }

  /// The path of the first field that asks for something that is not done, for example `agno_settings.user_memories`.
  func first(in document: JSON) -> String? { InactiveFields.first(in: document, fields, prefix: "") }

  private static func first(in document: JSON, _ fields: [String: Field], prefix: String) -> String? {
    // What is empty asks for nothing.
    for member in document.members where !member.value.isEmpty {
      let key = member.key
      switch fields[key] {
      case nil: continue
      case .inactive(let neutral):
        if neutral.contains(where: { JSONEquality.areEqual($0, member.value) }) { continue }
        return prefix + key
      case .inner(let inner):
        if let found = first(in: member.value, inner, prefix: prefix + key + ".") { return found }
      }
    }
    return nil
  }
}
