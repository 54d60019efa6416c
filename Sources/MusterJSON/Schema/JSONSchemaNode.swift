/// A compiled schema as a document to walk through: a handle, cheap to copy.
///
/// It looks through what only points on: a `$ref`, an `allOf` of one schema, and an `anyOf` of one schema and null.
/// Annotations and the default of the outermost win over those further in.
package struct JSONSchemaNode: Sendable {
  let schema: JSONSchema
  /// From the schema as it is used to the one that says what the value is.
  private let chain: [Int]

  init(schema: JSONSchema, index: Int) {
    self.schema = schema
    var chain = [index]
    // There are no loops in compiled schemas; the length is bounded all the same, for the price of a comparison.
    while chain.count <= schema.rules.count, let last = chain.last, let next = Self.next(schema.rules[last], schema) {
      chain.append(next)
    }
    self.chain = chain
  }

  private static func next(_ rules: JSONSchemaRules, _ schema: JSONSchema) -> Int? {
    if rules.object?.properties.isEmpty == false || rules.array?.items != nil { return nil }
    if let reference = rules.reference { return reference }
    if rules.allOf.count == 1 { return rules.allOf.first }
    let others = rules.anyOf.filter { schema.rules[$0].admitted != .null }
    return others.count == 1 && rules.anyOf.count == 2 ? others.first : nil
  }

  private func node(_ index: Int) -> JSONSchemaNode { JSONSchemaNode(schema: schema, index: index) }

  /// The rules of the schema that says what the value is.
  private var resolved: JSONSchemaRules { schema.rules[chain.last ?? 0] }

  /// The schema that says what the value is, as it was written.
  package var source: JSON { resolved.source }

  /// Whether the value is an object: `type` says so or, without a `type`, there are properties.
  package var isObject: Bool {
    resolved.types?.contains(.object) ?? (resolved.object?.properties.isEmpty == false)
  }

  /// The properties in their order.
  package var properties: [(name: String, node: JSONSchemaNode)] {
    guard let object = resolved.object else { return [] }
    return zip(object.names, object.properties).map { ($0, node($1)) }
  }

  /// The schema of a property.
  package func property(_ name: String) -> JSONSchemaNode? {
    guard let object = resolved.object, let slot = object.slots[Array(name.utf8)] else { return nil }
    return slot < object.properties.count ? node(object.properties[slot]) : nil
  }

  /// The keys that an object must have, in the order of `required`.
  package var required: [String] { resolved.object?.required ?? [] }

  /// The schema of an array's elements behind those of `prefixItems`.
  package var items: JSONSchemaNode? { resolved.array?.items.map { node($0) } }

  /// The schemas of an array's first elements.
  package var prefixItems: [JSONSchemaNode] { resolved.array?.prefix.map { node($0) } ?? [] }

  /// The schema of the members that are not among the properties: the values of a map.
  package var additional: JSONSchemaNode? { resolved.object?.additional.map { node($0) } }

  /// The value that stands for one that was not given.
  package var defaultValue: JSON? {
    for index in chain {
      if let value = schema.rules[index].defaultValue { return value }
    }
    return nil
  }

  /// The value of a keyword that only describes: `x-…`, `title`, `description`.
  package func annotation(_ name: String) -> JSON? {
    for index in chain {
      if let value = schema.rules[index].source[name] { return value }
    }
    return nil
  }

  /// Whether null is a right value here.
  package var allowsNull: Bool { schema.violations(of: .null, from: chain.first ?? 0, limit: 1).isEmpty }
}
