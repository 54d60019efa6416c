import MusterJSON
import MusterStore
import MusterSystem

/// Makes agents from the definitions of a template.
enum TemplateImport {
  private static let body = Operation.Body("CreateAgent", isTakenApart: true)

  /// The rows of the new agents, the template's own one last; `root` holds what the caller chose for that one.
  static func rows(
    _ template: TemplateRow, _ root: [(key: String, value: JSON)], _ call: OperationCall
  ) throws(Failure) -> [AgentRow] {
    var definitions: [JSON] = []
    var open = [JSON.trusted(template.document)["agent_definition"] ?? .null]
    while let definition = open.popLast() {
      definitions.append(definition)
      open.append(contentsOf: (definition["sub_agents"]?.elements ?? []).reversed())
    }
    var ids: [String: String] = [:]
    for definition in definitions { if let id = definition["id"]?.string { ids[id] = Identifier.make() } }
    var rows: [AgentRow] = []
    // The agent itself is the newest of them.
    for (index, definition) in definitions.enumerated().reversed() {
      let chosen = index == 0 ? root : []
      let values = try values(TemplateGraph.replacing(ids, in: definition).setting(chosen))
      let id = definition["id"]?.string.flatMap { ids[$0] } ?? Identifier.make()
      rows.append(
        AgentDocument.create(values, plane: call.plane, caller: call.caller, id: id, template: template.id))
    }
    return rows
  }

  /// The values of a definition as those of a new agent's body.
  private static func values(_ definition: JSON) throws(Failure) -> AgentValues {
    var writer = JSONWriter(capacity: definition.bytes.count)
    writer.beginObject()
    for property in AgentDefinition.properties {
      if let value = definition[property.name] { writer.member(text: property.name, value) }
    }
    writer.endObject()
    guard let schema = body.schema, let form = body.form else { throw Failure(.internal, "CreateAgent is no schema") }
    let filled = schema.applyingDefaults(to: writer.json)
    if let violation = schema.violations(of: filled, limit: 1).first {
      throw Failure(.store, "the template cannot be read: \(violation.message)")
    }
    return AgentValues(given: form.filling(ofFilled: filled))
  }
}
