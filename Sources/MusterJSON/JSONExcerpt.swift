/// Some members of objects in normal form, written in an order of their own: one walk over each object, values are copied
/// as they stand.
package struct JSONExcerpt: Sendable {
  private struct Member {
    /// `{"name":` or `,"name":`, in `names`.
    let name: Range<Int>
    /// The key in the object, in `sources`.
    let source: Range<Int>
    let hasInner: Bool
    /// The next place whose source has the same signature; -1 at the end.
    var next: Int
  }

  private static let buckets = 64

  private var names: [UInt8] = []
  private var sources: [UInt8] = []
  private var members: [Member] = []
  private var inners: [String?] = []
  /// The first place with a signature; -1 where there is none.
  private var first = [Int](repeating: -1, count: buckets)

  /// A member for each name, at least one: the value that the object has under `source`, or under `inner` in the object there;
  /// null when it has none.
  package init(_ wanted: [(name: String, source: String, inner: String?)]) {
    for (place, member) in wanted.enumerated() {
      let (name, source) = (names.count, sources.count)
      names.append(place == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
      JSONString.appendLexeme(of: member.name, to: &names)
      names.append(UInt8(ascii: ":"))
      sources.append(contentsOf: member.source.utf8)
      let signature = JSONExcerpt.signature(sources.span, source..<sources.count)
      members.append(
        Member(
          name: name..<names.count, source: source..<sources.count, hasInner: member.inner != nil,
          next: first[signature]))
      inners.append(member.inner)
      first[signature] = place
    }
  }

  /// Appends the excerpt of an object to a text.
  package func append(of object: [UInt8], to text: inout [UInt8]) {
    var values = [Range<Int>](repeating: 0..<0, count: members.count)
    find(in: object, &values)
    for place in members.indices {
      let member = members[place]
      text.append(contentsOf: names[member.name])
      var value = values[place]
      if member.hasInner, !value.isEmpty, let inner = inners[place] {
        value = JSON(text: object, range: value)[inner]?.range ?? 0..<0
      }
      if value.isEmpty {
        text.append(contentsOf: "null".utf8)
      } else {
        text.append(contentsOf: object[value])
      }
    }
    text.append(UInt8(ascii: "}"))
  }

  /// Finds where the values stand; of several members with one key the last counts.
  private func find(in object: [UInt8], _ values: inout [Range<Int>]) {
    let span = object.span
    var position = 1
    while position < span.count - 1 {
      let keyEnd = JSONSkip.value(in: span, at: position)
      let valueEnd = JSONSkip.value(in: span, at: keyEnd + 1)
      guard keyEnd > position + 1, valueEnd > keyEnd + 1, valueEnd < span.count else { return }
      let key = position + 1..<keyEnd - 1
      position = valueEnd + 1
      if JSONExcerpt.hasEscapes(span, key) {
        // What it says is not what it looks like.
        for place in members.indices {
          let source = Array(sources[members[place].source])
          if JSONString.isEqual(key, in: object, source.span) { values[place] = keyEnd + 1..<valueEnd }
        }
        continue
      }
      var place = first[JSONExcerpt.signature(span, key)]
      while place >= 0 {
        if isSource(members[place].source, span, key) { values[place] = keyEnd + 1..<valueEnd }
        place = members[place].next
      }
    }
  }

  private func isSource(_ source: Range<Int>, _ text: Span<UInt8>, _ key: Range<Int>) -> Bool {
    guard source.count == key.count else { return false }
    let sources = self.sources.span
    for offset in 0..<source.count where sources[source.lowerBound + offset] != text[key.lowerBound + offset] {
      return false
    }
    return true
  }

  private static func hasEscapes(_ text: Span<UInt8>, _ key: Range<Int>) -> Bool {
    for position in key where text[position] == UInt8(ascii: "\\") { return true }
    return false
  }

  private static func signature(_ text: Span<UInt8>, _ key: Range<Int>) -> Int {
    guard !key.isEmpty else { return 0 }
    let ends = Int(text[key.lowerBound]) ^ Int(text[key.upperBound - 1]) &* 3
    return (key.count &* 7 ^ ends) & (buckets - 1)
  }
}
