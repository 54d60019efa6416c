import MusterJSON
import Testing

@testable import MusterEngine

@Suite("What an agent changes about a tool's arguments and answers")
struct ToolSchemasTests {
  private func schemas(input: String = "null", output: String = "null") throws -> ToolSchemas {
    try #require(ToolSchemas(try json(#"{"input":\#(input),"output":\#(output)}"#)))
  }

  private static let parameters = """
    {"type":"object","properties":{"city":{"type":"string","description":"old"},"key":{"type":"string"},"unit":{"enum":["C","F"]},\
    "where":{"type":"object","properties":{"x":{"type":"integer"},"y":{"type":"integer"}},"required":["x","y"]},\
    "list":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"]}},\
    "named":{"$ref":"#/$defs/N"},"same":{"$ref":"#/$defs/N"}},"required":["city","key","unit"],\
    "$defs":{"N":{"type":"object","properties":{"p":{"type":"string"},"q":{"type":"string"}}}}}
    """

  private static let input = """
    {"properties":{"city":{"description":"Which town."},"key":{"isBlocked":true},"unit":{"permanentValue":"C"},\
    "where":{"properties":{"y":{"permanentValue":7}}},"list":{"items":{"properties":{"b":{"permanentValue":"B"}}}},\
    "named":{"properties":{"p":{"isBlocked":true}}},"absent":{"description":"nothing"}}}
    """

  @Test("the model sees neither what is blocked nor what is always given, and what it is told instead")
  func shown() throws {
    let shown = try schemas(input: Self.input).shown(try json(Self.parameters))
    #expect(
      text(shown) == """
        {"type":"object","properties":{"city":{"type":"string","description":"Which town."},\
        "where":{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]},\
        "list":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}},\
        "named":{"type":"object","properties":{"q":{"type":"string"}}},"same":{"$ref":"#/$defs/N"}},"required":["city"],\
        "$defs":{"N":{"type":"object","properties":{"p":{"type":"string"},"q":{"type":"string"}}}}}
        """)
  }

  @Test(
    "what is always given is put in, where it belongs, over what the model gave",
    arguments: [
      ("{}", #"{"unit":"C","where":{"y":7},"list":[{"b":"B"}]}"#),
      (#"{"city":"Rome","unit":"F"}"#, #"{"city":"Rome","unit":"C","where":{"y":7},"list":[{"b":"B"}]}"#),
      (
        #"{"where":{"x":1},"list":[{"a":"1"},{"a":"2","b":"no"}]}"#,
        #"{"where":{"x":1,"y":7},"list":[{"a":"1","b":"B"},{"a":"2","b":"B"}],"unit":"C"}"#
      ),
      (#"{"where":null,"list":[]}"#, #"{"where":{"y":7},"list":[],"unit":"C"}"#),
      (#"{"where":3,"list":"x"}"#, #"{"where":3,"list":"x","unit":"C"}"#),
    ])
  func filled(given: String, expected: String) throws {
    #expect(text(try schemas(input: Self.input).filled(try json(given))) == expected)
  }

  @Test("an argument that is blocked is found, wherever it is")
  func blocked() throws {
    let schemas = try schemas(
      input: #"{"properties":{"a":{"isBlocked":true},"b":{"items":{"properties":{"c":{"isBlocked":true}}}}}}"#)
    #expect(schemas.blocked(in: try json(#"{"a":null}"#)) == "/a")
    #expect(schemas.blocked(in: try json(#"{"b":[{"d":1},{"c":1}]}"#)) == "/b/1/c")
    #expect(schemas.blocked(in: try json(#"{"c":1,"b":[{}]}"#)) == nil)
  }

  @Test("of an answer what is blocked is left out and what always stands there is put in; what is not named passes")
  func shaped() throws {
    let schemas = try schemas(
      output: """
        {"properties":{"secret":{"isBlocked":true},"state":{"permanentValue":"ok"},"rows":{"items":{"properties":{"id":{"isBlocked":true}}}},\
        "plain":{"properties":{"id":{"isBlocked":true}}}}}
        """)
    #expect(
      text(
        schemas.shaped(
          try json(
            #"{"secret":1,"state":"bad","rows":[{"id":1,"n":2},3],"plain":[{"id":1,"n":2}],"other":{"secret":2}}"#)))
        == #"{"state":"ok","rows":[{"n":2},3],"plain":[{"n":2}],"other":{"secret":2}}"#)
    #expect(text(schemas.shaped(try json(#"[{"secret":1,"a":2}]"#))) == #"[{"a":2}]"#)
    #expect(text(schemas.shaped(try json(#""text""#))) == #""text""#)
    #expect(!(try self.schemas(input: Self.input)).changesAnswers)
  }

  @Test(
    "what says nothing is none, and what cannot be understood is not readable",
    arguments: [
      ("{}", true), (#"{"input":null,"output":{}}"#, true), (#"{"input":{"a":1}}"#, false),
      (#"{"input":{"properties":[]}}"#, false), (#"{"other":{"properties":{}}}"#, false), ("[]", false), ("3", false),
    ])
  func unreadable(schemas: String, isReadable: Bool) throws {
    #expect(ToolSchemas(try json(schemas)) == nil)
    #expect(ToolSchemas.isReadable(try json(schemas)) == isReadable)
  }

  @Test("a call with a blocked argument goes back to the model, and a declaration is read back as it was written")
  func declaration() throws {
    let schemas = try schemas(input: #"{"properties":{"key":{"isBlocked":true}}}"#)
    let list = ToolList([
      ToolDeclaration(
        name: "look", description: "Looks.",
        parameters: schemas.shown(try json(#"{"type":"object","properties":{"key":{"type":"string"}}}"#)),
        effect: .none, hasProbe: false, schemas: schemas)
    ])
    let read = try ToolList(list.json)
    #expect(read.tool("look")?.schemas?.json.hasSameBytes(schemas.json) == true)
    #expect(text(read.tool("look")?.parameters) == #"{"type":"object","properties":{}}"#)
    var life = Life(try beginning(tools: read))
    guard case .answerCall(0, .arguments, let told)? = life.take(asks([("look", #"{"key":"k"}"#)])).first else {
      Issue.record("the call is made")
      return
    }
    #expect(told.contains("The argument /key cannot be given."))
  }
}
