import MusterJSON
import Testing

@Suite("Schema forms")
struct JSONSchemaFormTests {
  private static let document = ##"""
    {"$ref":"#/$defs/agent","$defs":{
     "agent":{"type":"object","required":["name","kind"],"properties":{
      "name":{"type":"string","minLength":2,"maxLength":4},
      "kind":{"enum":["x","y"],"default":"x"},
      "note":{"type":["string","null"]},
      "says":{"$ref":"#/$defs/says","default":{"role":["r"],"general":"as it stands"}},
      "list":{"type":"array","items":{"$ref":"#/$defs/says"},"default":[]},
      "size":{"type":"integer","nullable":true,"default":3}}},
     "says":{"type":"object","required":["role"],"properties":{"role":{"type":"array","items":{"type":"string"},
      "default":[]},"general":{"type":"string","default":""},"inner":{"$ref":"#/$defs/says"}}}}}
    """##

  /// What a value may give for a property: nothing, right values, wrong ones.
  private static let choices: [[String]] = [
    ["", #""name":"abc""#, #""name":"a""#, #""name":null"#, #""n\u0061me":"\u00e9\u0041""#],
    ["", #""kind":"y""#, #""kind":"z""#, #""kind":null"#],
    ["", #""note":null"#, #""note":"n""#, #""note":1"#],
    ["", #""says":{}"#, #""says":{"other":1,"general":"g","role":null}"#, #""says":{"inner":{"inner":{"inner":{}}}}"#]
      + [#""says":{"general":1}"#, #""says":[]"#, #""says":null"#],
    ["", #""list":[{},{"role":["r"]}]"#, #""list":[1]"#],
    ["", #""size":1.0"#, #""size":1.5"#, #""size":null"#],
    ["", #""other":{"a":[1,"\u0041"]},"nam\u0065s":null"#],
  ]

  private func eachValue(_ body: (JSON) throws -> Void) throws {
    var chosen = [Int](repeating: 0, count: Self.choices.count)
    while true {
      let members = zip(Self.choices, chosen).map { $0[$1] }.filter { !$0.isEmpty }
      try body(try json("{\(members.joined(separator: ","))}"))
      if members.count > 1 { try body(try json("{\(members.reversed().joined(separator: ","))}")) }
      guard let next = chosen.indices.first(where: { chosen[$0] + 1 < Self.choices[$0].count }) else { return }
      for index in 0..<next { chosen[index] = 0 }
      chosen[next] += 1
    }
  }

  @Test("a form says of every value what the schema says: whether it is right, and what it is with its defaults")
  func like() throws {
    let schema = try schema(Self.document)
    let form = try #require(JSONSchemaForm(schema))
    var (right, wrong) = (0, 0)
    try eachValue { value in
      let filled = schema.applyingDefaults(to: value)
      let isRight = schema.accepts(filled)
      let filling = form.filling(of: value)
      if isRight != (filling != nil) { Issue.record("\(text(value)): \(isRight)") }
      guard isRight, let filling else { return wrong += 1 }
      right += 1
      if !filling.json.hasSameBytes(filled) { Issue.record("\(text(value)): \(text(filling.json))") }
      if !form.filling(ofFilled: filled).json.hasSameBytes(filled) { Issue.record("\(text(filled)) taken apart") }
    }
    #expect(right > 1000)
    #expect(wrong > 1000)
  }

  @Test("a value that is no object has no filling", arguments: ["[]", "null", "1", #""text""#, "true"])
  func others(value: String) throws {
    let form = try #require(JSONSchemaForm(try schema(Self.document)))
    #expect(form.filling(of: try json(value)) == nil)
  }

  @Test("what was given is told apart from defaults")
  func given() throws {
    let form = try #require(JSONSchemaForm(try schema(Self.document)))
    let filling = try #require(form.filling(of: try json(#"{"z":1,"kind":null,"note":null,"name":"abc"}"#)))
    #expect(filling.values.entries.map { $0.place } == [0, 2])
    #expect(filling.values[0].map { text($0) } == #""abc""#)
    #expect(filling.values[1] == nil)
    #expect(filling.others.map { $0.key } == ["z"])
  }

  @Test(
    "a schema that says more of the whole object has no form",
    arguments: [
      "true", "{}", #"{"type":"string"}"#, #"{"type":"array","properties":{"a":{}}}"#,
      #"{"properties":{"a":{}},"additionalProperties":false}"#,
      #"{"properties":{"a":{}},"additionalProperties":{"type":"string"}}"#,
      #"{"properties":{"a":{}},"required":["b"]}"#, #"{"properties":{"a":{}},"minProperties":1}"#,
      #"{"properties":{"a":{}},"maxProperties":1}"#, #"{"properties":{"a":{}},"propertyNames":{"maxLength":1}}"#,
      #"{"properties":{"a":{},"b":{}},"dependentRequired":{"a":["b"]}}"#,
      #"{"properties":{"a":{}},"dependentSchemas":{"a":{}}}"#, #"{"properties":{"a":{}},"not":{"required":["b"]}}"#,
      #"{"properties":{"a":{}},"anyOf":[{"required":["a"]}]}"#, #"{"properties":{"a":{}},"const":{}}"#,
      #"{"properties":{"a":{}},"enum":[{}]}"#, #"{"properties":{"a":{"type":"string","default":1}}}"#,
      ##"{"$ref":"#/$defs/a","minProperties":1,"$defs":{"a":{"properties":{"a":{}}}}}"##,
    ])
  func refused(text: String) throws {
    #expect(JSONSchemaForm(try schema(text)) == nil)
  }

  @Test("a template is written with values in the order of its places, whatever the order in which they were set")
  func template() throws {
    let template = JSONTemplate([("a", .null), ("b", nil), ("c\"", .integer(3)), ("d", nil)])
    func filled(_ values: [(Int, String)], _ others: String = "{}") throws -> String {
      var placed = JSONPlacedValues()
      for (place, value) in values { placed[place] = try json(value) }
      return String(decoding: template.filled(placed, others: try json(others).members), as: UTF8.self)
    }
    #expect(try filled([]) == #"{"a":null,"c\"":3}"#)
    #expect(try filled([(3, "4"), (0, "1"), (3, "5")]) == #"{"a":1,"c\"":3,"d":5}"#)
    let all = try filled([(1, "[]"), (2, "{}"), (9, "9"), (-1, "9")], #"{"e":1}"#)
    #expect(all == #"{"a":null,"b":[],"c\"":{},"e":1}"#)
    #expect(String(decoding: JSONTemplate([]).filled(JSONPlacedValues(), others: []), as: UTF8.self) == "{}")
  }
}
