/// Finds the steps of references. What a container holds is listed at the first step into it, so that many references
/// into one container cost no more than reading it once.
struct JSONSchemaDirectory {
  private var objects: [JSONSchemaCompiler.Place: [[UInt8]: Range<Int>]] = [:]
  private var arrays: [JSONSchemaCompiler.Place: [Range<Int>]] = [:]

  /// The member or element of a container that a token of a pointer names.
  mutating func step(_ container: JSON, _ token: [UInt8], document: Int) -> JSON? {
    let place = JSONSchemaCompiler.Place(document: document, position: container.range.lowerBound)
    switch container.kind {
    case .object:
      let members = objects[place] ?? Self.members(container)
      objects[place] = members
      return members[token].map { JSON(text: container.text, range: $0) }
    case .array:
      let elements = arrays[place] ?? container.elements.map { $0.range }
      arrays[place] = elements
      guard let index = JSONNumber.int64(token[...]), index >= 0, index < elements.count else { return nil }
      return JSON(text: container.text, range: elements[Int(index)])
    default: return nil
    }
  }

  private static func members(_ container: JSON) -> [[UInt8]: Range<Int>] {
    var members: [[UInt8]: Range<Int>] = [:]
    for member in container.members { members[member.lexeme.utf8 ?? []] = member.value.range }
    return members
  }
}
