extension JSONSchemaCompiler {
  mutating func compile(keyword member: JSON.Member, in context: Context) throws(JSONSchemaError) {
    let name = member.key
    switch name {
    case "pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef":
      throw error(.unsupported, name, at: member.lexeme, in: context)
    case "default": rules[context.node].defaultValue = member.value
    case "nullable":
      guard let flag = member.value.bool else { throw error(.invalid, name, at: member.lexeme, in: context) }
      rules[context.node].isNullable = flag
    case "type": rules[context.node].types = try types(member, in: context)
    case "enum":
      guard member.value.kind == .array else { throw error(.invalid, name, at: member.lexeme, in: context) }
      let values = member.value.elements
      rules[context.node].enumeration = values
      rules[context.node].enumerationTexts = values.map { JSONEquality.canonical($0) }
    case "const":
      rules[context.node].constant = member.value
      rules[context.node].constantText = JSONEquality.canonical(member.value)
    case "$ref": rules[context.node].reference = try resolve(member, in: context)
    case "allOf": rules[context.node].allOf = try schemas(member, in: context)
    case "anyOf": rules[context.node].anyOf = try schemas(member, in: context)
    case "oneOf": rules[context.node].oneOf = try schemas(member, in: context)
    case "not": rules[context.node].forbidden = schema(member, in: context)
    case "if": rules[context.node].condition = schema(member, in: context)
    case "then":
      // Without `if` it says nothing.
      if context.schema["if"] != nil { rules[context.node].consequence = schema(member, in: context) }
    case "else":
      if context.schema["if"] != nil { rules[context.node].alternative = schema(member, in: context) }
    case "minLength": rules[context.node].minLength = try count(member, in: context)
    case "maxLength": rules[context.node].maxLength = try count(member, in: context)
    case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
      try compile(number: member, name: name, in: context)
    case "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains",
      "maxContains":
      var array = rules[context.node].array ?? JSONSchemaArrayRules()
      try compile(array: member, name: name, in: context, &array)
      rules[context.node].array = array
    case "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired",
      "dependentSchemas", "dependencies":
      var object = rules[context.node].object?.rules ?? JSONSchemaObjectRules()
      try compile(object: member, name: name, in: context, &object)
      rules[context.node].object = JSONSchemaObject(object)
    default: break
    }
  }

  /// `properties`; runs before every other keyword of the schema.
  mutating func compileProperties(_ properties: JSON, in context: Context) throws(JSONSchemaError) {
    guard properties.kind == .object else { throw error(.invalid, "properties", at: properties, in: context) }
    var object = JSONSchemaObjectRules()
    for property in properties.members {
      _ = object.slot(property.key)
      object.properties.append(node(for: property.value, base: context.base))
    }
    rules[context.node].object = JSONSchemaObject(object)
  }

  // MARK: - Numbers

  private mutating func compile(
    number member: JSON.Member, name: String, in context: Context
  ) throws(JSONSchemaError) {
    let isLower = name == "minimum" || name == "exclusiveMinimum"
    var isExclusive = name == "exclusiveMinimum" || name == "exclusiveMaximum"
    if isExclusive, member.value.kind == .boolean { return }  // OpenAPI 3.0: says how the other keyword is meant.
    guard member.value.kind == .integer || member.value.kind == .real else {
      throw error(.invalid, name, at: member.lexeme, in: context)
    }
    let value = JSONDecimal(member.value.bytes)
    if name == "multipleOf" {
      guard !value.isNegative, !value.digits.isEmpty, value.digits.count <= JSONDecimal.largestDivisor else {
        throw error(.invalid, name, at: member.lexeme, in: context)
      }
      rules[context.node].divisor = .init(value: value, lexeme: member.value, isExclusive: false)
      return
    }
    if !isExclusive {
      isExclusive = context.schema[isLower ? "exclusiveMinimum" : "exclusiveMaximum"]?.bool ?? false
    }
    let bound = JSONSchemaRules.Bound(value: value, lexeme: member.value, isExclusive: isExclusive)
    if isLower { rules[context.node].lowerBounds.append(bound) } else { rules[context.node].upperBounds.append(bound) }
  }

  // MARK: - Arrays

  private mutating func compile(
    array member: JSON.Member, name: String, in context: Context, _ array: inout JSONSchemaArrayRules
  ) throws(JSONSchemaError) {
    switch name {
    case "prefixItems": array.prefix = try schemas(member, in: context)
    case "items":
      // Until draft 2019-09 an array here was what `prefixItems` is now, and `additionalItems` what `items` is now.
      if member.value.kind == .array {
        array.prefix = try schemas(member, in: context)
      } else {
        array.items = schema(member, in: context)
      }
    case "additionalItems":
      if context.schema["items"]?.kind == .array { array.items = schema(member, in: context) }
    case "minItems": array.minItems = try count(member, in: context)
    case "maxItems": array.maxItems = try count(member, in: context)
    case "uniqueItems":
      guard let flag = member.value.bool else { throw error(.invalid, name, at: member.lexeme, in: context) }
      array.isUnique = flag
    case "contains": array.contains = schema(member, in: context)
    case "minContains": array.minContains = try count(member, in: context)
    case "maxContains": array.maxContains = try count(member, in: context)
    default: break
    }
  }

  // MARK: - Objects

  private mutating func compile(
    object member: JSON.Member, name: String, in context: Context, _ object: inout JSONSchemaObjectRules
  ) throws(JSONSchemaError) {
    switch name {
    case "required":
      for key in try keys(member.value, name, at: member.lexeme, in: context) {
        let slot = object.slot(key)
        if !object.isRequired[slot] { object.required.append(key) }
        object.isRequired[slot] = true
      }
    case "additionalProperties":
      object.isClosed = member.value.bool == false
      if member.value.kind != .boolean { object.additional = schema(member, in: context) }
    case "propertyNames": object.propertyNames = schema(member, in: context)
    case "minProperties": object.minProperties = try count(member, in: context)
    case "maxProperties": object.maxProperties = try count(member, in: context)
    default:
      // `dependencies`, from before draft 2019-09, is either of the other two.
      guard member.value.kind == .object else { throw error(.invalid, name, at: member.lexeme, in: context) }
      for dependency in member.value.members {
        let slot = object.slot(dependency.key)
        if name == "dependentRequired" || (name == "dependencies" && dependency.value.kind == .array) {
          var required: [Int] = []
          for key in try keys(dependency.value, name, at: dependency.lexeme, in: context) {
            required.append(object.slot(key))
          }
          object.dependentRequired.append(.init(slot: slot, required: required))
        } else {
          object.dependentSchemas.append(.init(slot: slot, node: node(for: dependency.value, base: context.base)))
        }
      }
    }
  }

  // MARK: - Values of keywords

  private mutating func schema(_ member: JSON.Member, in context: Context) -> Int {
    node(for: member.value, base: context.base)
  }

  private mutating func schemas(_ member: JSON.Member, in context: Context) throws(JSONSchemaError) -> [Int] {
    guard member.value.kind == .array, !member.value.isEmpty else {
      throw error(.invalid, member.key, at: member.lexeme, in: context)
    }
    var nodes: [Int] = []
    for element in member.value.elements { nodes.append(node(for: element, base: context.base)) }
    return nodes
  }

  private func types(_ member: JSON.Member, in context: Context) throws(JSONSchemaError) -> [JSONSchemaType] {
    let names = member.value.kind == .array ? member.value.elements : [member.value]
    var types: [JSONSchemaType] = []
    for name in names {
      guard let type = JSONSchemaType(name: name) else { throw error(.invalid, "type", at: member.lexeme, in: context) }
      types.append(type)
    }
    guard !types.isEmpty else { throw error(.invalid, "type", at: member.lexeme, in: context) }
    return types
  }

  private func count(_ member: JSON.Member, in context: Context) throws(JSONSchemaError) -> Int {
    guard member.value.kind == .integer || member.value.kind == .real,
      let count = JSONDecimal(member.value.bytes).count
    else { throw error(.invalid, member.key, at: member.lexeme, in: context) }
    return count
  }

  private func keys(
    _ value: JSON, _ keyword: String, at place: JSON, in context: Context
  ) throws(JSONSchemaError) -> [String] {
    guard value.kind == .array else { throw error(.invalid, keyword, at: place, in: context) }
    var keys: [String] = []
    for element in value.elements {
      guard let key = element.string else { throw error(.invalid, keyword, at: place, in: context) }
      keys.append(key)
    }
    return keys
  }
}
