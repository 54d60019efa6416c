import MusterAPI
import MusterJSON

/// Makes one array of all pages of a list, as the Python client wants it.
struct ClientList {
  /// It has no more items than this.
  var mostItems: Int64 = 10_000
  /// It takes no page that would begin behind so many bytes.
  var mostBytes = 64 << 20
  /// More than callers may ask for: counting a narrowed list takes longer than reading a page of it.
  var itemsPerPage: Int64 = 500

  /// What moves from page to page while they are read is in it once. `call` gives the page that its arguments name.
  func text(_ given: Arguments, _ call: (Arguments) throws(Failure) -> [UInt8]) throws(Failure) -> [UInt8] {
    var text = [UInt8(ascii: "[")]
    var seen: Set<String> = []
    var page: Int64 = 1
    while page <= mostItems / itemsPerPage, text.count < mostBytes {
      var arguments = given
      arguments.parameters.append(("page", .integer(page)))
      arguments.itemsPerPage = itemsPerPage
      let items = JSON.trusted(try call(arguments))["items"]?.elements ?? []
      for item in items {
        guard let id = item["id"]?.string, seen.insert(id).inserted else { continue }
        if text.count > 1 { text.append(UInt8(ascii: ",")) }
        text.append(contentsOf: item.bytes)
      }
      if Int64(items.count) < itemsPerPage { break }
      page &+= 1
    }
    text.append(UInt8(ascii: "]"))
    return text
  }
}
