import Testing

@testable import MusterJSON

@Suite("Excerpts of objects")
struct JSONExcerptTests {
  private static let excerpt = JSONExcerpt([
    ("id", "id", nil), ("name", "name", nil), ("mode", "settings", "mode"), ("tail", "tail", nil),
  ])

  private static func excerpt(of object: String) throws -> String {
    var text = Array("before ".utf8)
    excerpt.append(of: Array(try JSON.parse(Array(object.utf8)).bytes), to: &text)
    return String(decoding: text.dropFirst(7), as: UTF8.self)
  }

  @Test(
    "Members come in the excerpt's order, copied as they stand; what the object lacks is null",
    arguments: [
      (#"{}"#, #"{"id":null,"name":null,"mode":null,"tail":null}"#),
      (
        #"{"tail":[1,{"id":5}],"other":{"name":"x"},"name":"a\"b\u00e9","id":1.50}"#,
        #"{"id":1.50,"name":"a\"b\u00e9","mode":null,"tail":[1,{"id":5}]}"#
      ),
      (#"{"settings":{"a":1,"mode":true}}"#, #"{"id":null,"name":null,"mode":true,"tail":null}"#),
      (#"{"settings":{"a":1}}"#, #"{"id":null,"name":null,"mode":null,"tail":null}"#),
      (#"{"settings":null,"id":""}"#, #"{"id":"","name":null,"mode":null,"tail":null}"#),
      (#"{"settings":"mode"}"#, #"{"id":null,"name":null,"mode":null,"tail":null}"#),
      (#"{"":1,"i":2,"nama":3,"n":4,"tali":5}"#, #"{"id":null,"name":null,"mode":null,"tail":null}"#),
      (#"{"\u0069d":7,"n\u0061me":8}"#, #"{"id":7,"name":8,"mode":null,"tail":null}"#),
    ])
  func order(_ object: String, _ expected: String) throws {
    #expect(try JSONExcerptTests.excerpt(of: object) == expected)
  }
}
