/// One compiled schema: its keywords, with other schemas named by their index in the arena. References may go in
/// circles; memory does not.
struct JSONSchemaRules: Sendable {
  /// A limit for numbers.
  struct Bound: Sendable {
    let value: JSONDecimal
    let lexeme: JSON
    let isExclusive: Bool
  }

  /// The schema as it was written.
  var source: JSON
  /// Whether it is the schema `false`.
  var isFalse = false
  /// `nullable: true`, as OpenAPI 3.0 has it: null is accepted whatever else the schema says.
  var isNullable = false
  /// What `type` names; nil when there is none.
  var types: [JSONSchemaType]?
  /// What `type`, `enum`, `const` and `$ref` leave possible. For choosing among alternatives; it never decides alone
  /// that a value is right.
  var admitted: JSONSchemaTypes = .all
  /// The schema that this one only points to.
  var pointsTo: Int?
  /// The schema at the end of that way, or this one: it says what the value is.
  var says = 0
  /// Types and lengths, if the schema says nothing else.
  var simple: JSONSchemaSimpleRules?
  /// The first `default` on that way.
  var defaultValue: JSON?

  var enumeration: [JSON]?
  /// The canonical texts of `enumeration`.
  var enumerationTexts: [[UInt8]] = []
  var constant: JSON?
  var constantText: [UInt8] = []

  var lowerBounds: [Bound] = []
  var upperBounds: [Bound] = []
  var divisor: Bound?

  var minLength: Int?
  var maxLength: Int?

  var array: JSONSchemaArrayRules?
  var object: JSONSchemaObject?

  // Schemas for the same value.
  var reference: Int?
  var allOf: [Int] = []
  var anyOf: [Int] = []
  var oneOf: [Int] = []
  var forbidden: Int?
  var condition: Int?
  var consequence: Int?
  var alternative: Int?

  init(source: JSON) { self.source = source }

  /// Every schema that is applied to the same value.
  var inPlace: [Int] {
    var nodes = allOf + anyOf + oneOf
    for node in [reference, forbidden, condition, consequence, alternative] {
      if let node { nodes.append(node) }
    }
    for dependent in object?.rules.dependentSchemas ?? [] { nodes.append(dependent.node) }
    return nodes
  }

  /// Whether it says nothing but, perhaps, `$ref`, `type`, `nullable`, `minLength` and `maxLength`.
  private var isBare: Bool {
    !isFalse && enumeration == nil && constant == nil && lowerBounds.isEmpty && upperBounds.isEmpty && divisor == nil
      && array == nil && object == nil && allOf.isEmpty && anyOf.isEmpty && oneOf.isEmpty && forbidden == nil
      && condition == nil
  }

  /// The schema that it refers to, if it says nothing else.
  var onlyReference: Int? {
    isBare && types == nil && !isNullable && minLength == nil && maxLength == nil ? reference : nil
  }

  /// The types that are right and how long strings may be, if it says nothing else.
  var onlySimpleRules: JSONSchemaSimpleRules? {
    guard isBare, reference == nil, let types else { return nil }
    let none: JSONSchemaTypes = isNullable ? .null : []
    let admitted = types.reduce(into: none) { $0.formUnion(JSONSchemaTypes($1)) }
    return JSONSchemaSimpleRules(types: admitted, minLength: minLength, maxLength: maxLength)
  }
}

/// What a schema says of arrays.
struct JSONSchemaArrayRules: Sendable {
  var minItems: Int?
  var maxItems: Int?
  var isUnique = false
  /// `prefixItems`.
  var prefix: [Int] = []
  /// The schema of the elements behind the prefix.
  var items: Int?
  var contains: Int?
  var minContains: Int?
  var maxContains: Int?
}

/// What a schema says of objects. A key that any keyword names has a slot, so that one walk over a value's members
/// finds them all.
struct JSONSchemaObjectRules: Sendable {
  struct DependentRequired: Sendable {
    let slot: Int
    let required: [Int]
  }

  struct DependentSchema: Sendable {
    let slot: Int
    let node: Int
  }

  /// The key of each slot; the first `properties.count` are the keys of `properties`, in their order.
  var names: [String] = []
  /// The key of each slot as a string value.
  var lexemes: [JSON] = []
  var slots: [[UInt8]: Int] = [:]
  var properties: [Int] = []
  /// For each slot, whether the key is required.
  var isRequired: [Bool] = []
  /// The keys of `required` in their order.
  var required: [String] = []
  /// The schema of the values whose keys are not in `properties`.
  var additional: Int?
  /// Whether `additionalProperties` is `false`.
  var isClosed = false
  var propertyNames: Int?
  var minProperties: Int?
  var maxProperties: Int?
  var dependentRequired: [DependentRequired] = []
  var dependentSchemas: [DependentSchema] = []

  /// The slot of a member's key, given the lexeme with quotes. Members mostly come in the order of the slots:
  /// `expected` is tried first.
  func slot(of key: Range<Int>, in text: [UInt8], expected: inout Int) -> Int? {
    if expected < lexemes.count, lexemes[expected].hasSameBytes(key, in: text) {
      expected += 1
      return expected - 1
    }
    guard key.count >= 2,
      let slot = slots[JSONString.decode(text[key.lowerBound + 1..<key.upperBound - 1])]
    else { return nil }
    expected = slot + 1
    return slot
  }

  /// The slot of a key, made if there is none yet.
  mutating func slot(_ name: String) -> Int {
    let key = Array(name.utf8)
    if let slot = slots[key] { return slot }
    slots[key] = names.count
    names.append(name)
    lexemes.append(.string(name))
    isRequired.append(false)
    return names.count - 1
  }
}

/// The finished rules for objects: one reference, cheap to pass on.
final class JSONSchemaObject: Sendable {
  let rules: JSONSchemaObjectRules

  init(_ rules: JSONSchemaObjectRules) { self.rules = rules }
}
