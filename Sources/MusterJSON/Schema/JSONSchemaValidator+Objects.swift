extension JSONSchemaValidator {
  /// Pushes what there is to check of an object, so that it is done in this order: properties, other required keys,
  /// other members, names.
  mutating func checkObject(_ node: Int, _ range: Range<Int>) {
    guard let object = rules[node].object?.rules else { return }
    let start = range.lowerBound + 1
    var found = [Range<Int>?](repeating: nil, count: object.names.count)
    if !object.names.isEmpty || object.minProperties != nil || object.maxProperties != nil {
      let count = find(object, in: range, &found)
      if let bound = object.minProperties, count < bound { fail(.tooFewProperties(bound: bound), at: range) }
      if !isOver, let bound = object.maxProperties, count > bound { fail(.tooManyProperties(bound: bound), at: range) }
      if isOver { return }
    }
    chargeSteps(found.count)
    for dependency in object.dependentSchemas.reversed() where found[dependency.slot] != nil {
      push(.apply(node: dependency.node, value: range))
    }
    if object.propertyNames != nil { push(.names(node: node, position: start, end: range.upperBound)) }
    if object.isClosed || object.additional != nil {
      push(.additional(node: node, position: start, end: range.upperBound))
    }
    for dependency in object.dependentRequired.reversed() where found[dependency.slot] != nil {
      chargeSteps(dependency.required.count)
      for slot in dependency.required.reversed() where found[slot] == nil {
        push(.missing(node: node, slot: slot, object: range))
      }
    }
    for slot in found.indices.reversed() {
      if let value = found[slot] {
        if slot < object.properties.count { push(.apply(node: object.properties[slot], value: value)) }
      } else if object.isRequired[slot] {
        push(.missing(node: node, slot: slot, object: range))
      }
    }
  }

  /// Walks over the members once, finds the values of the slots, and counts the members.
  private mutating func find(_ object: JSONSchemaObjectRules, in range: Range<Int>, _ found: inout [Range<Int>?]) -> Int
  {
    chargeBytes(range.count)
    var cursor = JSONMemberCursor(text: text, position: range.lowerBound + 1, end: range.upperBound)
    var count = 0
    var expected = 0
    while let member = cursor.next() {
      count += 1
      if let slot = object.slot(of: member.key, in: text, expected: &expected) { found[slot] = member.value }
    }
    chargeSteps(count)
    return count
  }

  /// Goes on to the next member whose key is not in `properties`.
  mutating func nextAdditional(_ node: Int, _ position: Int, _ end: Int) {
    guard let object = rules[node].object?.rules else { return }
    var cursor = JSONMemberCursor(text: text, position: position, end: end)
    var expected = 0
    while let member = cursor.next() {
      chargeSteps(1)
      chargeBytes(member.value.count)
      if let slot = object.slot(of: member.key, in: text, expected: &expected), slot < object.properties.count {
        continue
      }
      push(.additional(node: node, position: cursor.position, end: end))
      if let additional = object.additional {
        push(.apply(node: additional, value: member.value))
      } else {
        let key = json(member.key).string ?? ""
        fail(.additionalProperty(key: key), at: member.value)
      }
      return
    }
  }

  /// Goes on to the next key.
  mutating func nextName(_ node: Int, _ position: Int, _ end: Int) {
    var cursor = JSONMemberCursor(text: text, position: position, end: end)
    guard let member = cursor.next() else { return }
    chargeBytes(member.value.count)
    push(.names(node: node, position: cursor.position, end: end))
    begin(.name, node, member.key)
  }
}
