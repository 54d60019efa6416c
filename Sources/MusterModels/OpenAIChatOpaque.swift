import MusterJSON

/// What an object has beside the members that are known, to be sent back as it came: reasoning, signatures and the like.
/// In a stream it comes in pieces.
struct OpenAIChatOpaque {
  private struct Member {
    let key: JSON
    /// What came last; of strings that were joined only the first.
    var value: JSON
    /// The content of strings that were joined, as a lexeme without its quotes.
    var text: [UInt8] = []
    /// The elements of lists that were joined.
    var parts: [OpenAIChatOpaque] = []
    /// Whether `text` or `parts` are there, and the value is in them.
    var isJoined = false
  }

  private var members: [Member] = []
  /// Of an element of a list that may come in pieces: its type and number.
  private let mark: [UInt8]

  /// No known server has half as many.
  private static let limit = 64

  init(mark: [UInt8] = []) { self.mark = mark }

  /// Keeps a member. Of those that come again strings are joined, and so are lists of objects; of others the last counts.
  ///
  /// - Parameters:
  ///   - key: a lexeme; one with escapes is not kept.
  ///   - room: the bytes that are left; what does not fit is not kept, and leaves less than none.
  ///   - joins: false: the last of strings and lists counts, too.
  /// - Returns: whether it would make a difference to add the same again.
  mutating func add(_ key: JSON, _ value: JSON, _ room: inout Int, joins: Bool = true) -> Bool {
    let kind = value.kind
    // An empty string may be demanded where there was one; nothing else that is empty says anything.
    if value.isEmpty, kind != .string { return false }
    let grows = joins && !value.isEmpty && (kind == .string || kind == .array)
    guard let place = members.firstIndex(where: { $0.key.hasSameBytes(key) }) else {
      guard members.count < OpenAIChatOpaque.limit, !key.bytes.contains(UInt8(ascii: "\\")) else { return false }
      if OpenAIChatOpaque.take(key.bytes.count &+ value.bytes.count, from: &room) {
        members.append(Member(key: key.detached, value: value.detached))
      }
      return grows
    }
    let first = members[place].value
    if joins, kind == first.kind, kind == .string || isList(value) && isList(first) {
      if !members[place].isJoined { join(first, at: place, &room) }
      join(value, at: place, &room)
    } else if OpenAIChatOpaque.take(value.bytes.count &- first.bytes.count, from: &room) {
      members[place] = Member(key: members[place].key, value: value.detached)
    }
    return grows
  }

  /// Takes so many bytes of what is left, if there are as many; if not there are none ever after.
  static func take(_ count: Int, from room: inout Int) -> Bool {
    guard room >= 0 else { return false }
    room &-= count
    return room >= 0
  }

  private func isList(_ value: JSON) -> Bool {
    value.kind == .array && value.elements.allSatisfy { $0.kind == .object }
  }

  private mutating func join(_ value: JSON, at place: Int, _ room: inout Int) {
    members[place].isJoined = true
    guard value.kind == .array else {
      let text = value.bytes.dropFirst().dropLast()
      if OpenAIChatOpaque.take(text.count, from: &room) { members[place].text.append(contentsOf: text) }
      return
    }
    for element in value.elements {
      var mark: [UInt8] = []
      // OpenRouter cuts reasoning so. What is encrypted comes whole.
      if let type = element["type"], let index = element["index"], element["data"] == nil {
        mark.append(contentsOf: type.bytes)
        mark.append(contentsOf: index.bytes)
      }
      var last = members[place].parts.count &- 1
      if last < 0 || mark.isEmpty || members[place].parts[last].mark != mark {
        // An object takes more than its text.
        guard OpenAIChatOpaque.take(64, from: &room) else { return }
        members[place].parts.append(OpenAIChatOpaque(mark: mark))
        last &+= 1
      }
      var walk = JSONMemberWalk(element)
      while walk.next() {
        let joins = walk.isKey("text") || walk.isKey("summary")
        _ = members[place].parts[last].add(walk.lexeme, walk.value, &room, joins: joins)
      }
    }
  }

  // MARK: - The result

  /// A string value of a lexeme without its quotes.
  static func string(_ text: [UInt8]) -> JSON {
    var lexeme: [UInt8] = [UInt8(ascii: "\"")]
    lexeme.reserveCapacity(text.count &+ 2)
    lexeme.append(contentsOf: text)
    lexeme.append(UInt8(ascii: "\""))
    return JSON.trusted(lexeme)
  }

  /// All that was kept, as an object; nil when there is nothing.
  var json: JSON? {
    guard !members.isEmpty else { return nil }
    var writer = JSONWriter()
    write(to: &writer)
    return writer.json
  }

  private func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for member in members {
      writer.key(member.key)
      if !member.isJoined {
        writer.value(member.value)
      } else if member.value.kind == .string {
        writer.value(OpenAIChatOpaque.string(member.text))
      } else {
        writer.beginArray()
        for part in member.parts { part.write(to: &writer) }
        writer.endArray()
      }
    }
    writer.endObject()
  }
}
