import MusterJSON
import MusterStore
import MusterSystem

/// The operations on templates. Source: the contract's chapter on export and import.
enum TemplateOperations {
  static let all: [Operation] = [
    Operation(
      "agents.export", "POST", "/v1/agents/{agent_id}/export",
      "Makes a template of an agent: a snapshot of its working copy and of its sub-agents, without credentials.",
      parameters: [.agentID], body: .init("ExportAgent", example: #"{"name":"Guide, as of today"}"#),
      answer: "AgentTemplate", failures: [400, 501],
      repetition: .remembered, handler: export),
    Operation(
      "agents.import", "POST", "/v1/agents/template_import/{template_id}",
      "Makes an agent, and its sub-agents, from a template of any organization.",
      parameters: [.init("template_id", .path, "The template's id.", #"{"type":"string","minLength":1}"#)],
      body: .init("ImportAgent", example: #"{"name":"Another guide"}"#), answer: "AIAgent",
      repetition: .remembered, handler: importAgent),
  ]

  // MARK: - Export

  @Sendable private static func export(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    try AgentOperations.checkName(call.body["name"])
    let agent = try AgentOperations.find(call.agentID, call)
    var export = TemplateExport(call, withKnowledgeBases: call.body["with_knowledge_bases"]?.bool ?? true)
    let definition = try export.definition(agent)
    let icon = call.body.present("icon") ?? definition.present("icon") ?? .literal("\"\"")
    let id = Identifier.make()
    let stored = document(id, icon, definition, organization: nil, call)
    // An answer has to stay within what the library reads itself.
    guard !JSON.trusted(stored).isDeeper(than: JSONLimits.request.depth) else {
      throw Failure(.limit, "the template is nested deeper than \(JSONLimits.request.depth) levels")
    }
    let answer = document(id, icon, definition, organization: call.organizationID, call)
    try call.store { () throws(StoreError) in
      try call.plane.store.insertTemplate(
        TemplateRow(id: id, organizationID: call.organizationID, createdAt: .now(), document: stored),
        durable: call.plane.configuration.isDurable, remembering: call.remembering(id, answer: answer))
    }
    return .json(answer)
  }

  /// The template; its maker's organization is in the answer to the maker only.
  private static func document(
    _ id: String, _ icon: JSON, _ definition: JSON, organization: String?, _ call: OperationCall
  ) -> [UInt8] {
    var writer = JSONWriter(capacity: definition.bytes.count + 256)
    writer.beginObject()
    writer.member("id", id)
    writer.member("name", call.body["name"])
    writer.member("icon", icon)
    writer.member("description", call.body["description"])
    if let organization { writer.member("organization_id", organization) }
    writer.member("agent_definition", definition)
    writer.endObject()
    return writer.bytes
  }

  // MARK: - Import

  @Sendable private static func importAgent(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let name = call.body["name"]
    try AgentOperations.checkName(name)
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.template(call.string("template_id") ?? "")
    }
    guard let found else { throw .api(404, "Template not found") }
    let template = JSON.trusted(found.document)
    var chosen: [(key: String, value: JSON)] = []
    if let name { chosen.append(("name", name)) }
    if let icon = call.body.present("icon") ?? template.present("icon") { chosen.append(("icon", icon)) }
    if let description = call.body.present("description") { chosen.append(("description", description)) }
    let rows = try TemplateImport.rows(found, chosen, call)
    guard let agent = rows.last else { throw Failure(.store, "the template has no agent") }
    try call.store { () throws(StoreError) in
      try call.plane.store.insertAgents(
        rows, durable: call.plane.configuration.isDurable,
        remembering: call.remembering(agent.id, answer: agent.document))
    }
    return .json(agent.document)
  }
}
