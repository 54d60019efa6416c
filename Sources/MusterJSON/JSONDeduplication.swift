/// Finds and removes keys that repeat in an object: the first place is kept, with the last value, as jansson does.
enum JSONDeduplication {
  /// With so few keys each is compared with each other one.
  private static let few = 32

  /// Whether two of the keys have the same content. O(n log n), so that no input makes it slow.
  static func hasDuplicates(_ keys: ArraySlice<JSONKey>, in bytes: [UInt8]) -> Bool {
    if keys.count < 2 { return false }
    if keys.contains(where: { $0.hasEscapes }) { return hasEqualContents(keys, in: bytes) }
    guard keys.count <= few else {
      let signatures = keys.map { $0.signature }.sorted()
      // Only where signatures repeat can keys repeat.
      return zip(signatures, signatures.dropFirst()).contains { $0 == $1 } && hasEqualContents(keys, in: bytes)
    }
    for index in keys.indices {
      for other in keys.startIndex..<index where keys[index].signature == keys[other].signature {
        if bytes[keys[index].range].elementsEqual(bytes[keys[other].range]) { return true }
      }
    }
    return false
  }

  private static func hasEqualContents(_ keys: ArraySlice<JSONKey>, in bytes: [UInt8]) -> Bool {
    var contents = keys.map { JSONString.decode(bytes[$0.range]) }
    contents.sort { $0.lexicographicallyPrecedes($1) }
    return zip(contents, contents.dropFirst()).contains { $0 == $1 }
  }

  /// The value with the repeats removed at each level; recursion is bounded by the depth that the parser has checked.
  static func withoutDuplicates(_ json: JSON) -> JSON {
    var writer = JSONWriter(capacity: json.range.count)
    write(json, to: &writer)
    return writer.json
  }

  private static func write(_ json: JSON, to writer: inout JSONWriter) {
    switch json.kind {
    case .array:
      writer.beginArray()
      for element in json.elements { write(element, to: &writer) }
      writer.endArray()
    case .object:
      var last: [[UInt8]: JSON] = [:]
      let members = json.members
      for member in members { last[member.lexeme.utf8 ?? []] = member.value }
      writer.beginObject()
      for member in members {
        guard let value = last.removeValue(forKey: member.lexeme.utf8 ?? []) else { continue }
        writer.key(member.lexeme)
        write(value, to: &writer)
      }
      writer.endObject()
    default: writer.value(json)
    }
  }
}
