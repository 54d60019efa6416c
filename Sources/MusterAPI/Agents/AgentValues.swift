import MusterJSON

/// The values of an agent's documented properties, on their way into its document.
struct AgentValues {
  /// In the order of `AgentProperty.all`.
  private var values = [JSON?](repeating: nil, count: AgentProperty.all.count)
  /// The members that are no documented property, in their order.
  private(set) var unknown: [JSON.Member] = []

  private static let slots: [String: Int] = {
    var slots: [String: Int] = [:]
    for (slot, property) in AgentProperty.all.enumerated() { slots[property.name] = slot }
    return slots
  }()

  private static let lexemes = AgentProperty.all.map { $0.lexeme }
  private static let isManaged = AgentProperty.all.map { $0.access == .managed }

  /// How far ahead a property is looked for by its bytes, before it is looked up.
  private static let reach = 16

  /// Takes what a body may set; what the service sets itself is ignored.
  init(given body: JSON) {
    var expected = 0
    for member in body.members {
      if let slot = AgentValues.slot(of: member, expected: &expected) {
        if !AgentValues.isManaged[slot] { values[slot] = member.value }
      } else {
        unknown.append(member)
      }
    }
  }

  /// A body with its defaults has the properties in our order: the next one is mostly the one that is expected, or a
  /// few further.
  private static func slot(of member: JSON.Member, expected: inout Int) -> Int? {
    let end = min(expected + reach, lexemes.count)
    for slot in expected..<max(expected, end) where lexemes[slot].hasSameBytes(member.lexeme) {
      expected = slot + 1
      return slot
    }
    return slots[member.key]
  }

  /// The value of a documented property.
  subscript(name: String) -> JSON? {
    get { AgentValues.slots[name].flatMap { values[$0] } }
    set { if let slot = AgentValues.slots[name] { values[slot] = newValue } }
  }

  /// Writes the members in the documented order: null for one without a value, unless it is only shown when it was set.
  func write(to writer: inout JSONWriter) {
    for (property, value) in zip(AgentProperty.all, values) where value != nil || property.access != .optional {
      writer.key(property.lexeme)
      if let value { writer.value(value) } else { writer.null() }
    }
  }
}
