extension JSONSchemaValidator {
  /// The number of elements, and whether they differ.
  mutating func checkArray(_ node: Int, _ value: JSON) {
    guard let array = rules[node].array else { return }
    if array.minItems != nil || array.maxItems != nil {
      chargeBytes(value.range.count)
      var cursor = elements(value.range)
      var count = 0
      while cursor.next() != nil { count += 1 }
      if let bound = array.minItems, count < bound { fail(.tooFewItems(bound: bound), at: value.range) }
      if !isOver, let bound = array.maxItems, count > bound { fail(.tooManyItems(bound: bound), at: value.range) }
    }
    if array.isUnique, !isOver { checkUnique(value) }
  }

  private mutating func checkUnique(_ value: JSON) {
    // Sorting reads each byte a few times.
    chargeBytes(value.range.count * 16)
    var cursor = elements(value.range)
    var texts: [[UInt8]] = []
    while let element = cursor.next() { texts.append(JSONEquality.canonical(json(element))) }
    texts.sort { $0.lexicographicallyPrecedes($1) }
    if zip(texts, texts.dropFirst()).contains(where: { $0 == $1 }) { fail(.notUnique, at: value.range) }
  }

  func elements(_ range: Range<Int>) -> JSONElementCursor {
    JSONElementCursor(text: text, position: range.lowerBound + 1, end: range.upperBound)
  }

  mutating func pushElements(_ node: Int, _ range: Range<Int>) {
    guard let array = rules[node].array else { return }
    if array.contains != nil { push(.begin(.contains, node: node, value: range)) }
    if array.items != nil || !array.prefix.isEmpty {
      push(.elements(node: node, position: range.lowerBound + 1, end: range.upperBound, index: 0))
    }
  }

  mutating func nextElement(_ node: Int, _ position: Int, _ end: Int, _ index: Int) {
    guard let array = rules[node].array else { return }
    let schema = index < array.prefix.count ? array.prefix[index] : array.items
    var cursor = JSONElementCursor(text: text, position: position, end: end)
    guard let schema, let element = cursor.next() else { return }
    chargeBytes(element.count)
    push(.elements(node: node, position: cursor.position, end: end, index: index + 1))
    push(.apply(node: schema, value: element))
  }
}
