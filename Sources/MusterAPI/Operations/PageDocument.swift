import MusterJSON

/// Writes the envelope of a page around items that are JSON texts already.
enum PageDocument {
  /// `append` writes the items with commas between, and gives the number of rows in the whole list.
  static func make(
    page: Int64, perPage: Int64, _ append: (inout [UInt8]) throws(Failure) -> Int64
  ) throws(Failure) -> [UInt8] {
    var text = Array(#"{"items":["#.utf8)
    let total = try append(&text)
    text.append(UInt8(ascii: "]"))
    var rest = JSONWriter()
    rest.beginObject()
    writeNumbers(total: total, page: page, perPage: perPage, to: &rest)
    rest.endObject()
    text.append(UInt8(ascii: ","))
    text.append(contentsOf: rest.bytes.dropFirst())
    return text
  }

  static func make(items: [[UInt8]], total: Int64, page: Int64, perPage: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: items.reduce(128) { $0 + $1.count + 1 })
    writer.beginObject()
    writer.key("items")
    writer.beginArray()
    for item in items { writer.value(JSON.trusted(item)) }
    writer.endArray()
    writeNumbers(total: total, page: page, perPage: perPage, to: &writer)
    writer.endObject()
    return writer.bytes
  }

  private static func writeNumbers(total: Int64, page: Int64, perPage: Int64, to writer: inout JSONWriter) {
    writer.member("total", total)
    writer.member("page", page)
    writer.member("per_page", perPage)
    writer.member("total_pages", perPage > 0 ? (total + perPage - 1) / perPage : 0)
  }
}
