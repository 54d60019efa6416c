/// An object schema made ready for the common case: a right value that gives few of the properties.
///
/// Such a value is checked and gets its defaults in one walk over what it gives. The schema's own defaults were checked
/// when the form was made, and their text is ready. What comes of it is what `applyingDefaults(to:)` and
/// `violations(of:)` say of the same value.
package final class JSONSchemaForm: Sendable {
  private struct Property {
    let node: Int
    /// Whether the schema has nothing to say of what is inside: no defaults are missing there.
    let isSimple: Bool
    let allowsNull: Bool
    /// The form of the property, if its schema is a plain object.
    let form: JSONSchemaForm?
  }

  /// Forms are nested no deeper, as schemas may go in circles.
  private static let deepest = 3

  /// A value with more than this is left to the general way, which has limits of its own.
  private static let largest = 1 << 20

  private let schema: JSONSchema
  private let object: JSONSchemaObject
  private let properties: [Property]
  /// The properties that must be given.
  private let required: [Int]
  let template: JSONTemplate

  /// Nil for a schema that is no plain object: one that says more of the whole object than which properties it has and
  /// which of them it must have, or whose own defaults are not right.
  package convenience init?(_ schema: JSONSchema) { self.init(schema, node: 0, depth: 1) }

  private init?(_ schema: JSONSchema, node: Int, depth: Int) {
    guard let node = JSONSchemaForm.plainObject(schema, node), let object = schema.rules[node].object else {
      return nil
    }
    let rules = object.rules
    var properties: [Property] = []
    var required: [Int] = []
    var members: [(key: String, value: JSON?)] = []
    for (slot, node) in rules.properties.enumerated() {
      let ownDefault = schema.rules[node].defaultValue
      if let ownDefault {
        guard schema.violations(of: ownDefault, from: node, limit: 1).isEmpty else { return nil }
      } else if rules.isRequired[slot] {
        required.append(slot)
      }
      properties.append(
        Property(
          node: node, isSimple: schema.rules[node].simple != nil,
          allowsNull: schema.violations(of: .null, from: node, limit: 1).isEmpty,
          form: depth < JSONSchemaForm.deepest ? JSONSchemaForm(schema, node: node, depth: depth + 1) : nil))
      members.append((rules.names[slot], ownDefault))
    }
    guard members.reduce(0, { $0 + ($1.value?.range.count ?? 0) }) < JSONSchemaForm.largest else { return nil }
    self.schema = schema
    self.object = object
    self.properties = properties
    self.required = required
    template = JSONTemplate(members)
  }

  /// The node that says what the value is, if it is a plain object, perhaps behind references.
  private static func plainObject(_ schema: JSONSchema, _ start: Int) -> Int? {
    var node = start
    while let next = schema.rules[node].onlyReference { node = next }
    let rules = schema.rules[node]
    guard rules.inPlace.isEmpty, rules.enumeration == nil, rules.constant == nil, !rules.isFalse,
      rules.types?.contains(.object) ?? true, let object = rules.object?.rules, !object.properties.isEmpty,
      object.names.count == object.properties.count, object.additional == nil, !object.isClosed,
      object.propertyNames == nil, object.minProperties == nil, object.maxProperties == nil,
      object.dependentRequired.isEmpty, object.dependentSchemas.isEmpty
    else { return nil }
    return node
  }

  /// The value with its defaults if it is right. Nil when it is not, or when that takes a closer look: then the schema's
  /// own functions tell.
  package func filling(of value: JSON) -> JSONFilling? {
    var room = JSONSchemaForm.largest
    return filling(of: value, &room)
  }

  private func filling(of value: JSON, _ room: inout Int) -> JSONFilling? {
    guard value.kind == .object else { return nil }
    var filling = JSONFilling(form: self)
    var expected = 0
    var cursor = JSONMemberCursor(text: value.text, position: value.range.lowerBound + 1, end: value.range.upperBound)
    while let member = cursor.next() {
      let given = JSON(text: value.text, range: member.value)
      guard let slot = object.rules.slot(of: member.key, in: value.text, expected: &expected) else {
        filling.others.append(.init(lexeme: JSON(text: value.text, range: member.key), value: given))
        continue
      }
      if given.isNull {
        // A null that is not allowed counts as not given.
        if properties[slot].allowsNull { filling.values[slot] = given }
      } else {
        guard let filled = fill(given, properties[slot], &room) else { return nil }
        filling.values[slot] = filled
      }
    }
    for slot in required where filling.values[slot] == nil { return nil }
    return filling
  }

  /// A value, not null, of a property with its own defaults; nil when it is not right, or too large.
  private func fill(_ given: JSON, _ property: Property, _ room: inout Int) -> JSON? {
    if property.isSimple {
      return schema.violations(of: given, from: property.node, limit: 1).isEmpty ? given : nil
    }
    let filled: JSON
    if let form = property.form {
      guard let filling = form.filling(of: given, &room) else { return nil }
      filled = filling.json
    } else {
      filled = schema.applyingDefaults(to: given, from: property.node)
      guard schema.violations(of: filled, from: property.node, limit: 1).isEmpty else { return nil }
    }
    room -= filled.range.count
    return room >= 0 ? filled : nil
  }

  /// Takes a value apart that is right and has its defaults.
  package func filling(ofFilled value: JSON) -> JSONFilling {
    var filling = JSONFilling(form: self)
    var expected = 0
    for member in value.members {
      if let slot = object.rules.slot(of: member.lexeme.range, in: value.text, expected: &expected) {
        filling.values[slot] = member.value
      } else {
        filling.others.append(member)
      }
    }
    return filling
  }
}
