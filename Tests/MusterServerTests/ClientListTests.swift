import MusterJSON
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("The Python client's lists")
struct ClientListTests {
  /// The ids of the items of a list whose pages are `page`.
  private static func ids(
    _ list: ClientList = ClientList(), _ page: (Int64, Int64) throws(Failure) -> [String]
  ) throws -> [String] {
    let text = try list.text(Arguments()) { arguments throws(Failure) in
      let number = arguments.parameters.first { $0.name == "page" }?.value.int64
      let items = try page(number ?? 0, arguments.itemsPerPage ?? 0)
      return Array(#"{"items":[\#(items.joined(separator: ","))],"total":1}"#.utf8)
    }
    return try JSON.parse(text).elements.compactMap { $0["id"]?.string }
  }

  @Test("have at most 10,000 items")
  func most() throws {
    let ids = try ClientListTests.ids { page, size in (0..<size).map { #"{"id":"\#((page - 1) * size + $0)"}"# } }
    #expect(ids.count == 10_000)
    #expect(ids.first == "0" && ids.last == "9999")
  }

  @Test("end with the page that goes beyond their bytes")
  func bytes() throws {
    let list = ClientList(mostBytes: 1_000, itemsPerPage: 10)
    let filler = String(repeating: "x", count: 50)
    var pages: Int64 = 0
    let ids = try ClientListTests.ids(list) { page, size in
      pages = page
      return (0..<size).map { #"{"id":"\#(page) \#($0)","filler":"\#(filler)"}"# }
    }
    #expect(pages == 2 && ids.count == 20)
    #expect(ClientList().mostBytes == 64 << 20)
  }

  @Test("have an item once that moves to a later page while they are read")
  func moved() throws {
    let ids = try ClientListTests.ids { page, size in
      page == 1 ? (0..<size).map { #"{"id":"\#($0)"}"# } : [#"{"id":"\#(size - 1)"}"#, #"{"id":"last"}"#]
    }
    #expect(ids.count == 501 && ids.last == "last")
  }

  @Test("fail when a page does")
  func failure() throws {
    #expect(throws: Failure.self) {
      try ClientListTests.ids { _, _ throws(Failure) in throw Failure(.busy, "busy") }
    }
  }

  @Test("read all pages of the store")
  func pages() throws {
    let bench = try ServiceBench()
    let arguments = Arguments(body: .trusted(Array(#"{"name":"A"}"#.utf8)))
    for _ in 0..<25 { _ = try bench.plane.call("agents.create", arguments) }
    var calls = 0
    let text = try ClientList(itemsPerPage: 10).text(Arguments()) { arguments throws(Failure) in
      calls += 1
      return try bench.plane.call("agents.list", arguments)
    }
    let ids = try JSON.parse(text).elements.compactMap { $0["id"]?.string }
    #expect(calls == 3 && ids.count == 25 && Set(ids).count == 25)
  }
}
