/// Names of members that are looked up together, in one walk over an object.
package struct JSONNames: Sendable {
  /// Their content as UTF-8.
  private let names: [[UInt8]]

  package init(_ names: [String]) { self.names = names.map { Array($0.utf8) } }

  /// The values of the members with these names, in the order of the names; nil for those that an object does not have, and
  /// for anything but an object.
  package func values(in object: JSON) -> [JSON?] {
    var found = [JSON?](repeating: nil, count: names.count)
    guard object.kind == .object else { return found }
    var cursor = JSONMemberCursor(
      text: object.text, position: object.range.lowerBound + 1, end: object.range.upperBound)
    // Documents are mostly written in one order: the name behind the last one that was found is tried first.
    var next = 0
    while let member = cursor.next() {
      let key = member.key.lowerBound + 1..<member.key.upperBound - 1
      for offset in names.indices {
        let place = (next + offset) % names.count
        // An escape is longer than what it stands for.
        guard names[place].count <= key.count, JSONString.isEqual(key, in: object.text, names[place]) else { continue }
        found[place] = JSON(text: object.text, range: member.value)
        next = place + 1
        break
      }
    }
    return found
  }
}
