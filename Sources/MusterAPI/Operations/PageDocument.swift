import MusterJSON

/// Writes the envelope of a page around items that are JSON texts already.
enum PageDocument {
  static func make(items: [[UInt8]], total: Int64, page: Int64, perPage: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: items.reduce(128) { $0 + $1.count + 1 })
    writer.beginObject()
    writer.key("items")
    writer.beginArray()
    for item in items { writer.value(JSON.trusted(item)) }
    writer.endArray()
    writer.member("total", total)
    writer.member("page", page)
    writer.member("per_page", perPage)
    writer.member("total_pages", perPage > 0 ? (total + perPage - 1) / perPage : 0)
    writer.endObject()
    return writer.bytes
  }
}
