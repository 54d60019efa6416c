import MusterJSON
import Testing

@testable import MusterAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
  private let document = OpenAPIDocument.json

  private func operation(_ operation: Operation) -> JSON? {
    document["paths"]?[operation.path]?[operation.method.lowercased()]
  }

  @Test("it is JSON in normal form, in the form of OpenAPI 3.1")
  func form() throws {
    #expect(try JSON.parse(Array(document.bytes)).hasSameBytes(document))
    #expect(document["openapi"]?.string == "3.1.0")
    #expect(document.at("info/version")?.string == "\(BuildInformation.version)")
    #expect(text(document["security"]) == #"[{"APIKeyHeader":[]}]"#)
    #expect(document.at("components/securitySchemes/APIKeyHeader/name")?.string == "x-api-key")
  }

  @Test("it has each operation that has a route, with parameters, body and answer")
  func operations() throws {
    for declared in OperationTable.all where !declared.path.isEmpty {
      let shown = try #require(operation(declared), "\(declared.name)")
      #expect(shown["operationId"]?.string == declared.name)
      #expect(
        shown["parameters"]?.elements.compactMap { $0["name"]?.string } ?? [] == declared.parameters.map { $0.name })
      #expect(
        (shown["parameters"]?.elements.contains { $0["$ref"]?.string == "#/components/parameters/Idempotency-Key" }
          ?? false) == (declared.repetition == .remembered))
      #expect((shown["requestBody"] != nil) == (declared.body != nil))
      #expect((shown["x-muster-extension"]?.bool ?? false) == declared.isExtension)
      let responses = try #require(shown["responses"])
      let success = try #require(responses["\(declared.success)"])
      #expect((success["content"] == nil) == (declared.success == 204))
      for status in ["400", "401", "429", "500", "503"] { #expect(responses[status] != nil, "\(declared.name)") }
      #expect((responses["413"] != nil) == (declared.body != nil))
      for status in declared.failures { #expect(responses["\(status)"] != nil, "\(declared.name) \(status)") }
    }
  }

  @Test("the example of each body is right")
  func examples() throws {
    for declared in OperationTable.all {
      guard let body = declared.body else { continue }
      let example = try json(try #require(body.example, "\(declared.name) has none"))
      #expect(body.schema?.accepts(example) == true, "\(declared.name)")
    }
  }

  @Test("every reference leads to a component")
  func references() {
    func check(_ value: JSON, _ depth: Int) {
      guard depth < 64 else { return }
      for member in value.members {
        if member.key == "$ref", let target = member.value.string {
          #expect(target.hasPrefix("#/") && document.at(String(target.dropFirst(2))) != nil, "\(target)")
        }
        check(member.value, depth + 1)
      }
      for element in value.elements { check(element, depth + 1) }
    }
    check(document, 0)
  }

  @Test("answers hold no key that their schema does not know")
  func answers() throws {
    let bench = try Bench()
    func check(_ value: JSON, _ node: JSONSchemaNode, _ place: String, _ depth: Int) {
      guard depth < 12 else { return }
      let known = node.properties.map { $0.name }
      for member in value.members where !known.isEmpty {
        if let inner = node.property(member.key) ?? node.additional {
          check(member.value, inner, "\(place).\(member.key)", depth + 1)
        } else {
          Issue.record("\(place).\(member.key) is not described")
        }
      }
      if let items = node.items { for element in value.elements { check(element, items, place + "[]", depth + 1) } }
    }
    let agent = try bench.agent("echo", #"{"graph":[{"item_id":"t","type":"tool","targets":[]}]}"#)
    _ = try bench.call("agents.update", #"{"agent_id":"\#(agent)","body":{"graph":[]},"deploy":true}"#)
    let task = try bench.invoke(agent, #"{"input":{"text":"hello","user":{"email":"a@b"}}}"#)["id"]?.string ?? ""
    let template = try bench.call("agents.export", #"{"agent_id":"\#(agent)","body":{"name":"T"}}"#)["id"]?.string ?? ""
    let key = try bench.call("keys.create", #"{"body":{"name":"k"}}"#)["id"]?.string ?? ""
    for operation in OperationTable.all where !operation.path.isEmpty {
      guard let component = operation.answer, !operation.name.hasPrefix("agents.invoke"),
        // They need a task that waits for a person; their answer is that of tasks.get.
        operation.name != "tasks.approve", operation.name != "tasks.reject"
      else { continue }
      let arguments = try json(
        #"{"agent_id":"\#(agent)","task_id":"\#(task)","template_id":"\#(template)","key_id":"\#(key)","provider_identifier":"openai"}"#
      )
      let wanted = operation.parameters.filter { $0.location == .path }.map { $0.name }
      var members = arguments.members.filter { wanted.contains($0.key) }.map { ($0.key, $0.value) }
      if let body = operation.body { members.append(("body", try json(body.example ?? "{}"))) }
      let answer = try bench.call(operation.name, text(try json("{}").setting(members)) ?? "{}")
      let schema = try #require(SchemaCatalogue.compiled(component))
      #expect(schema.violations(of: answer).isEmpty, "\(operation.name)")
      check(answer, schema.root, operation.name, 0)
    }
  }

  @Test("operations without a route are not in it")
  func local() throws {
    let operation = Operation("local.only", "POST", "", "Does it here.", answer: nil) { _ in .none }
    #expect(text(OpenAPIDocument.make([operation]))?.contains("local.only") == false)
  }
}
