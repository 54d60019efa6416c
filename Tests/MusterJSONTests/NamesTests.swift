import MusterJSON
import Testing

@Suite("Names looked up together")
struct NamesTests {
  @Test("give the values of an object's members in the order of the names, whatever their order there")
  func order() throws {
    let names = JSONNames(["a", "b", "c", "a\"b"])
    let found = names.values(in: try JSON.parse(Array(#"{"c":3,"x":{"a":9},"a":1,"a\"b":"q","\u0062":2}"#.utf8)))
    #expect(found.map { $0.map { Array($0.bytes) } } == ["1", "2", "3", "\"q\""].map { Array($0.utf8) })
  }

  @Test("give nothing for what is not there, and for what is no object", arguments: ["{}", "[1]", "null", "\"a\""])
  func missing(text: String) throws {
    #expect(JSONNames(["a"]).values(in: try JSON.parse(Array(text.utf8))).allSatisfy { $0 == nil })
    #expect(JSONNames([]).values(in: try JSON.parse(Array(text.utf8))).isEmpty)
  }
}
