import MusterJSON
import Testing

@testable import MusterAPI

@Suite("The table of operations")
struct DeclarationTests {
  @Test("names and routes are unique")
  func unique() {
    let names = OperationTable.all.map { $0.name }
    #expect(Set(names).count == names.count)
    let routes = OperationTable.all.filter { !$0.path.isEmpty }.map { "\($0.method) \($0.path)" }
    #expect(Set(routes).count == routes.count)
    #expect(names.allSatisfy { OperationTable.operation($0)?.name == $0 })
    #expect(OperationTable.operation("agents.dance") == nil)
  }

  @Test("every declaration is whole")
  func whole() {
    for operation in OperationTable.all {
      #expect(["GET", "POST", "PATCH", "PUT", "DELETE"].contains(operation.method))
      #expect(operation.path.hasPrefix("/v1/") || (operation.path.isEmpty && operation.access == .host))
      #expect(operation.summary.hasSuffix("."))
      #expect((200..<300).contains(operation.success))
      #expect(operation.since == "0.1.0")
      let parameters = operation.parameters.map { $0.name }
      #expect(Set(parameters).count == parameters.count)
      // These names have another meaning among the arguments.
      #expect(!parameters.contains("body") && !parameters.contains("context"))
      for parameter in operation.parameters {
        #expect(parameter.schema != nil, "\(operation.name) \(parameter.name)")
        #expect(parameter.summary.hasSuffix("."))
        #expect(parameter.isRequired == operation.path.contains("{\(parameter.name)}"))
        if let value = parameter.schema?.root.defaultValue { #expect(parameter.schema?.accepts(value) == true) }
      }
      for part in operation.path.split(separator: "/") where part.hasPrefix("{") {
        #expect(parameters.contains(String(part.dropFirst().dropLast())), "\(operation.path)")
      }
    }
  }

  @Test("bodies and answers are components that are there and compile")
  func components() throws {
    for operation in OperationTable.all {
      if let body = operation.body {
        #expect(SchemaCatalogue.components[body.schemaName] != nil)
        #expect(body.schema != nil, "\(operation.name)")
        // One that refuses unknown keys is looked at closely each time.
        let isClosed = SchemaCatalogue.components[body.schemaName]?["additionalProperties"]?.bool == false
        #expect((body.form == nil) == isClosed, "\(operation.name)")
      }
      if let answer = operation.answer { #expect(SchemaCatalogue.compiled(answer) != nil, "\(operation.name)") }
    }
    let names = SchemaCatalogue.components.keys
    #expect(names.count > 25)
    #expect(Set(names).count == names.count)
    for name in names { #expect(SchemaCatalogue.compiled(name) != nil, "\(name) does not compile") }
  }

  @Test("the defaults of each component match its own schema")
  func defaults() {
    func check(_ node: JSONSchemaNode, _ path: String, _ depth: Int) {
      guard depth < 5 else { return }
      for property in node.properties {
        if let value = property.node.defaultValue, let whole = SchemaCatalogue.compile(property.node.source) {
          let isRight = whole.accepts(value) || (value.isNull && property.node.allowsNull)
          #expect(isRight, "\(path).\(property.name)")
        }
        check(property.node, "\(path).\(property.name)", depth + 1)
      }
    }
    for name in SchemaCatalogue.components.keys {
      if let schema = SchemaCatalogue.compiled(name) { check(schema.root, name, 0) }
    }
  }

  @Test("the build information is JSON in normal form and says what there is")
  func buildInformation() throws {
    let information = BuildInformation.json(abiVersion: 1, janssonVersion: "2.14")
    let parsed = try JSON.parse(Array(information.bytes))
    #expect(parsed.hasSameBytes(information))
    #expect(parsed["operations"]?.elements.count == OperationTable.all.count)
    #expect(parsed.at("limits/json_depth")?.int64 == 128)
    #expect(parsed.at("limits/request_bytes")?.int64 == 67_108_864)
    #expect(parsed["statuses"]?.members.count == Status.named.count)
    #expect(parsed.at("libraries/jansson")?.string == "2.14")
    let list = try #require(parsed["operations"]?.elements.first { $0["name"]?.string == "agents.list" })
    #expect(
      text(list["parameters"]?.elements.last?["schema"]) == #"{"type":"integer","minimum":1,"maximum":50,"default":20}"#
    )
    #expect(text(list["body"]) == "null")
    #expect(text(list["answer"]) == ##"{"$ref":"#/components/schemas/MinimalAIAgentPage"}"##)
  }

  @Test("the numbers of the statuses are the permanent ones")
  func statuses() {
    let numbers = Status.named.map { Int($0.status.rawValue) }
    #expect(numbers == [0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 40, 41, 42, 43, 60, 61, 90, 99])
    #expect("\(Status(rawValue: 12345).name)" == "UNKNOWN")
    #expect("\(Status.badHandle.name)" == "BAD_HANDLE")
  }
}
