extension JSONSchema {
  /// The value with the schema's defaults filled in.
  ///
  /// An object whose schema has properties is written anew: first the properties in the schema's order, each with the
  /// value that was given or else its `default` (as it stands; one with neither is left out), then the other members
  /// in their order. A null that was given where null is not allowed counts as not given. The same is done in the
  /// values of properties, in elements, and in the values of maps. Everything else stays byte for byte, and so does
  /// what comes after defaults of 64 MiB. It does not check the value.
  package func applyingDefaults(to value: JSON) -> JSON { applyingDefaults(to: value, from: 0) }

  func applyingDefaults(to value: JSON, from node: Int) -> JSON {
    switch value.kind {
    case .object, .array:
      var filler = JSONSchemaDefaults(schema: self, value: value)
      return filler.run(from: node)
    default: return value
    }
  }
}

/// Writes a value anew with defaults; what is left to write stands in a list, so that a deep value needs no depth.
private struct JSONSchemaDefaults {
  private enum Step {
    case element(Range<Int>, node: Int?)
    case member(key: Range<Int>, value: Range<Int>, node: Int?)
    case property(slot: Int, of: Int, value: Range<Int>)
    case filling(slot: Int, of: Int, value: JSON)
    case endArray
    case endObject
  }

  private let schema: JSONSchema
  private let value: JSON
  /// How many bytes of defaults may still be added.
  private var room = JSONLimits.request.bytes
  private var writer: JSONWriter
  private var steps: [Step] = []

  init(schema: JSONSchema, value: JSON) {
    self.schema = schema
    self.value = value
    writer = JSONWriter(capacity: value.range.count + 512)
  }

  mutating func run(from node: Int) -> JSON {
    write(value.range, node)
    while let step = steps.popLast() {
      switch step {
      case .element(let element, let node): write(element, node)
      case .member(let key, let value, let node):
        writer.key(json(key))
        write(value, node)
      case .property(let slot, let object, let value):
        // The object, not its rules: a copy of those would be a dozen references.
        guard let object = schema.rules[object].object else { break }
        writer.key(object.rules.lexemes[slot])
        write(value, object.rules.properties[slot])
      case .filling(let slot, let object, let value):
        guard let object = schema.rules[object].object else { break }
        writer.key(object.rules.lexemes[slot])
        writer.value(value)
      case .endArray: writer.endArray()
      case .endObject: writer.endObject()
      }
    }
    return writer.json
  }

  private func json(_ range: Range<Int>) -> JSON { JSON(text: value.text, range: range) }

  /// Writes a value whose schema is `node`, or what of it needs no more room, and lists the rest.
  private mutating func write(_ range: Range<Int>, _ node: Int?) {
    let value = json(range)
    guard let node else { return writer.value(value) }
    let says = schema.rules[node].says
    switch value.kind {
    case .object:
      guard let object = schema.rules[says].object,
        !object.rules.properties.isEmpty || object.rules.additional != nil
      else { return writer.value(value) }
      beginObject(range, object, says)
    case .array:
      guard let array = schema.rules[says].array, !array.prefix.isEmpty || array.items != nil else {
        return writer.value(value)
      }
      beginArray(range, array)
    default: writer.value(value)
    }
  }

  private mutating func beginArray(_ range: Range<Int>, _ array: JSONSchemaArrayRules) {
    writer.beginArray()
    let start = steps.count
    steps.append(.endArray)
    var cursor = JSONElementCursor(text: value.text, position: range.lowerBound + 1, end: range.upperBound)
    var index = 0
    while let element = cursor.next() {
      steps.append(.element(element, node: index < array.prefix.count ? array.prefix[index] : array.items))
      index += 1
    }
    steps[(start + 1)...].reverse()
  }

  private mutating func beginObject(_ range: Range<Int>, _ object: JSONSchemaObject, _ node: Int) {
    writer.beginObject()
    let start = steps.count
    steps.append(.endObject)
    var given = [Range<Int>?](repeating: nil, count: object.rules.properties.count)
    var others: [Step] = []
    var cursor = JSONMemberCursor(text: value.text, position: range.lowerBound + 1, end: range.upperBound)
    var expected = 0
    while let member = cursor.next() {
      if let slot = object.rules.slot(of: member.key, in: value.text, expected: &expected), slot < given.count {
        given[slot] = member.value
      } else {
        others.append(.member(key: member.key, value: member.value, node: object.rules.additional))
      }
    }
    for (slot, property) in object.rules.properties.enumerated() {
      if let range = given[slot], !json(range).isNull || schema.violations(of: .null, from: property, limit: 1).isEmpty
      {
        steps.append(.property(slot: slot, of: node, value: range))
      } else if let filling = schema.rules[property].defaultValue, filling.range.count < room {
        room -= filling.range.count + object.rules.lexemes[slot].range.count
        steps.append(.filling(slot: slot, of: node, value: filling))
      }
    }
    steps += others
    steps[(start + 1)...].reverse()
  }
}
