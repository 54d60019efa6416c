/// Works out what depends on other schemas, once all are compiled and no loop is left.
enum JSONSchemaSettling {
  static func settle(_ rules: inout [JSONSchemaRules]) {
    for node in rules.indices {
      rules[node].admitted = ownTypes(rules[node])
      rules[node].simple = rules[node].onlySimpleRules
    }
    follow(&rules, by: { rules, node in rules[node].reference }) { rules, node, next in
      if let next { rules[node].admitted.formIntersection(rules[next].admitted) }
      if rules[node].isNullable { rules[node].admitted.insert(.null) }
    }
    follow(&rules, by: pointsTo) { rules, node, next in
      rules[node].pointsTo = next
      rules[node].says = next.map { rules[$0].says } ?? node
      if let next, rules[node].defaultValue == nil { rules[node].defaultValue = rules[next].defaultValue }
    }
  }

  /// Settles each node after the one that it leads to.
  private static func follow(
    _ rules: inout [JSONSchemaRules], by next: ([JSONSchemaRules], Int) -> Int?,
    settle: (inout [JSONSchemaRules], Int, Int?) -> Void
  ) {
    var isSettled = [Bool](repeating: false, count: rules.count)
    for start in rules.indices {
      var chain = [start]
      while let last = chain.last, !isSettled[last], let node = next(rules, last) { chain.append(node) }
      for node in chain.reversed() where !isSettled[node] {
        settle(&rules, node, next(rules, node))
        isSettled[node] = true
      }
    }
  }

  /// What `type`, `enum` and `const` leave possible.
  private static func ownTypes(_ rules: JSONSchemaRules) -> JSONSchemaTypes {
    if rules.isFalse { return [] }
    var admitted = JSONSchemaTypes.all
    if let types = rules.types { admitted = types.reduce(into: []) { $0.formUnion(JSONSchemaTypes($1)) } }
    if let values = rules.enumeration {
      admitted.formIntersection(values.reduce(into: []) { $0.formUnion(JSONSchemaTypes(of: $1)) })
    }
    if let value = rules.constant { admitted.formIntersection(JSONSchemaTypes(of: value)) }
    return admitted
  }

  /// The schema that says what the value is, for one that only points on: to a `$ref`, to an `allOf` of one, or to an
  /// `anyOf` of one, null aside.
  private static func pointsTo(_ rules: [JSONSchemaRules], _ node: Int) -> Int? {
    if rules[node].object?.rules.properties.isEmpty == false || rules[node].array?.items != nil { return nil }
    if let reference = rules[node].reference { return reference }
    if rules[node].allOf.count == 1 { return rules[node].allOf.first }
    let others = rules[node].anyOf.filter { rules[$0].admitted != .null }
    return others.count == 1 ? others.first : nil
  }
}
