/// A compiled schema as a document to walk through: a handle, cheap to copy.
///
/// It looks through what only points on: a `$ref`, an `allOf` of one schema, and an `anyOf` of one schema, null aside.
/// Annotations and the default of the outermost win over those further in.
package struct JSONSchemaNode: Sendable {
  let schema: JSONSchema
  private let index: Int

  init(schema: JSONSchema, index: Int) {
    self.schema = schema
    self.index = index
  }

  private func node(_ index: Int) -> JSONSchemaNode { JSONSchemaNode(schema: schema, index: index) }

  /// The rules of the schema that says what the value is.
  private var resolved: JSONSchemaRules { schema.rules[schema.rules[index].says] }

  /// The schema that says what the value is, as it was written.
  package var source: JSON { resolved.source }

  /// Whether the value is an object: `type` says so or, without a `type`, there are properties.
  package var isObject: Bool {
    resolved.types?.contains(.object) ?? (resolved.object?.rules.properties.isEmpty == false)
  }

  /// The properties in their order.
  package var properties: [(name: String, node: JSONSchemaNode)] {
    guard let object = resolved.object?.rules else { return [] }
    return zip(object.names, object.properties).map { ($0, node($1)) }
  }

  /// The schema of a property.
  package func property(_ name: String) -> JSONSchemaNode? {
    guard let object = resolved.object?.rules, let slot = object.slots[Array(name.utf8)] else { return nil }
    return slot < object.properties.count ? node(object.properties[slot]) : nil
  }

  /// The keys that an object must have, in the order of `required`.
  package var required: [String] { resolved.object?.rules.required ?? [] }

  /// The schema of an array's elements behind those of `prefixItems`.
  package var items: JSONSchemaNode? { resolved.array?.items.map { node($0) } }

  /// The schemas of an array's first elements.
  package var prefixItems: [JSONSchemaNode] { resolved.array?.prefix.map { node($0) } ?? [] }

  /// The schema of the members that are not among the properties: the values of a map.
  package var additional: JSONSchemaNode? { resolved.object?.rules.additional.map { node($0) } }

  /// The value that stands for one that was not given.
  package var defaultValue: JSON? { schema.rules[index].defaultValue }

  /// The value of a keyword that only describes: `x-…`, `title`, `description`.
  package func annotation(_ name: String) -> JSON? {
    var next: Int? = index
    while let node = next {
      if let value = schema.rules[node].source[name] { return value }
      next = schema.rules[node].pointsTo
    }
    return nil
  }

  /// Whether null is a right value here.
  package var allowsNull: Bool { schema.violations(of: .null, from: index, limit: 1).isEmpty }
}
