extension JSONSchema {
  /// The value with the schema's defaults filled in.
  ///
  /// An object whose schema has properties is written anew: first the properties in the schema's order, each with the
  /// value that was given or else its `default` (as it stands; one with neither is left out), then the other members
  /// in their order. A null that was given where null is not allowed counts as not given. The same is done in the
  /// values of properties, in elements, and in the values of maps. Everything else stays byte for byte, and so does
  /// what comes after defaults of 64 MiB. It does not check the value.
  package func applyingDefaults(to value: JSON) -> JSON {
    var filler = JSONSchemaDefaults(schema: self, value: value)
    return filler.run()
  }
}

/// Writes a value anew with defaults; what is left to write stands in a list, so that a deep value needs no depth.
private struct JSONSchemaDefaults {
  private enum Task {
    case value(JSON, node: JSONSchemaNode)
    case member(JSON.Member, node: JSONSchemaNode?)
    case property(name: String, value: JSON, node: JSONSchemaNode)
    case verbatim(name: String, value: JSON)
    case endArray
    case endObject
  }

  private let schema: JSONSchema
  private let value: JSON
  /// How many bytes of defaults may still be added.
  private var room = JSONLimits.request.bytes
  private var writer: JSONWriter
  private var tasks: [Task] = []

  init(schema: JSONSchema, value: JSON) {
    self.schema = schema
    self.value = value
    writer = JSONWriter(capacity: value.range.count + 512)
  }

  mutating func run() -> JSON {
    tasks.append(.value(value, node: schema.root))
    while let task = tasks.popLast() {
      switch task {
      case .value(let value, let node): write(value, node)
      case .member(let member, let node):
        writer.key(member.lexeme)
        if let node { write(member.value, node) } else { writer.value(member.value) }
      case .property(let name, let value, let node):
        writer.key(name)
        write(value, node)
      case .verbatim(let name, let value): writer.member(name, value)
      case .endArray: writer.endArray()
      case .endObject: writer.endObject()
      }
    }
    return writer.json
  }

  private mutating func write(_ value: JSON, _ node: JSONSchemaNode) {
    switch value.kind {
    case .object:
      let properties = node.properties
      let additional = node.additional
      guard !properties.isEmpty || additional != nil else { return writer.value(value) }
      beginObject(value, properties, additional)
    case .array:
      let prefix = node.prefixItems
      let items = node.items
      guard !prefix.isEmpty || items != nil else { return writer.value(value) }
      writer.beginArray()
      let start = tasks.count
      for (index, element) in value.elements.enumerated() {
        let schema = index < prefix.count ? prefix[index] : items
        // Without a schema of its own an element is written as `true`, which fills nothing in.
        tasks.append(.value(element, node: schema ?? JSONSchemaDefaults.nothing))
      }
      tasks[start...].reverse()
      tasks.insert(.endArray, at: start)
    default: writer.value(value)
    }
  }

  private static let nothing = JSONSchemaNode(
    schema: JSONSchema(rules: [JSONSchemaRules(source: .literal("true"))]), index: 0)

  private mutating func beginObject(
    _ value: JSON, _ properties: [(name: String, node: JSONSchemaNode)], _ additional: JSONSchemaNode?
  ) {
    writer.beginObject()
    var slots: [[UInt8]: Int] = [:]
    for (slot, property) in properties.enumerated() { slots[Array(property.name.utf8)] = slot }
    var given = [JSON?](repeating: nil, count: properties.count)
    var others: [JSON.Member] = []
    for member in value.members {
      if let slot = slots[member.lexeme.utf8 ?? []] { given[slot] = member.value } else { others.append(member) }
    }
    let start = tasks.count
    for (property, value) in zip(properties, given) {
      if let value, !value.isNull || property.node.allowsNull {
        tasks.append(.property(name: property.name, value: value, node: property.node))
      } else if let value = property.node.defaultValue, value.range.count < room {
        room -= value.range.count + property.name.utf8.count
        tasks.append(.verbatim(name: property.name, value: value))
      }
    }
    for member in others { tasks.append(.member(member, node: additional)) }
    tasks[start...].reverse()
    tasks.insert(.endObject, at: start)
  }
}
