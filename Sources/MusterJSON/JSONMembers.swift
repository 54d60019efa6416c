/// The members of an object, found in one pass: for whoever looks for many of them in an object that may be long.
package struct JSONMembers {
  private var members: [(key: JSON, value: JSON)] = []

  /// Anything but an object has no members.
  package init(_ object: JSON) {
    members.reserveCapacity(24)
    var walk = JSONMemberWalk(object)
    while walk.next() { members.append((walk.lexeme, walk.value)) }
  }

  /// The value of a member; of several with that key the first.
  package subscript(key: String) -> JSON? {
    for member in members where member.key.isString(key) { return member.value }
    return nil
  }

  /// The value of a member that is there and not null.
  package func present(_ key: String) -> JSON? {
    guard let value = self[key], value.kind != .null else { return nil }
    return value
  }
}
