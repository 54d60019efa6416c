/// What most schemas say: types, and perhaps how long strings may be. Quickly checked.
struct JSONSchemaSimpleRules: Sendable {
  let types: JSONSchemaTypes
  let minLength: Int?
  let maxLength: Int?

  /// Whether the value is right.
  func accepts(_ value: JSON) -> Bool {
    let type = JSONSchemaTypes(of: value)
    guard !types.isDisjoint(with: type) else { return false }
    guard type == .string, minLength != nil || maxLength != nil else { return true }
    let content = value.range.lowerBound + 1..<max(value.range.lowerBound + 1, value.range.upperBound - 1)
    let (least, most) = (minLength ?? 0, maxLength ?? .max)
    // A code point takes 12 bytes at most (two escapes), and one at least: mostly nothing has to be counted.
    if least <= (content.count + 11) / 12, content.count <= most { return true }
    let length = JSONString.length(content, in: value.text)
    return length >= least && length <= most
  }
}
