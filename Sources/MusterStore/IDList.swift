import MusterJSON

/// Ids as the JSON array that a column holds, and that SQLite takes apart: `id IN (SELECT value FROM json_each(?))`.
enum IDList {
  static func text(_ ids: [String]) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginArray()
    for id in ids { writer.value(id) }
    writer.endArray()
    return writer.bytes
  }

  static func ids(_ text: [UInt8]) -> [String] { JSON.trusted(text).elements.compactMap { $0.string } }
}
