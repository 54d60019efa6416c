package import MusterJSON

/// What a turn knows of a tool: what the model is told, and what a run may do with it.
package struct ToolDeclaration: Sendable {
  /// What may happen when a call is made again whose outcome is not known.
  package enum Effect: String, Sendable {
    /// Nothing: it only reads.
    case none = "read_only"
    /// Nothing more than the first time, with the same key.
    case idempotent
    /// It may be done twice.
    case once
  }

  package let name: String
  package let description: String
  /// A JSON Schema of the arguments' object, as the model sees it.
  package let parameters: JSON
  /// The same, to check arguments with; nil when it is not at hand.
  let schema: JSONSchema?
  package let effect: Effect
  /// Whether the tool can tell if a call was done.
  package let hasProbe: Bool
  /// What a person is told who has to approve each call, an object with `title` and `description`; nil: none has to.
  package let approval: JSON?
  /// What the agent changes about the tool's arguments and answers.
  package let schemas: ToolSchemas?
  /// The id of the agent that it stands for: a call is a sub-task of that agent; nil: it is a tool of the host.
  package let agent: String?

  package init(
    name: String, description: String, parameters: JSON, schema: JSONSchema? = nil, effect: Effect, hasProbe: Bool,
    approval: JSON? = nil, schemas: ToolSchemas? = nil, agent: String? = nil
  ) {
    self.schema = schema
    self.agent = agent
    self.approval = approval
    self.schemas = schemas
    self.name = name
    self.description = description
    self.parameters = parameters
    self.effect = effect
    self.hasProbe = hasProbe
  }

  init(_ json: JSON) throws(UnreadableRecord) {
    guard let name = json["name"]?.string, let description = json["description"]?.string,
      let parameters = json["parameters"], let effect = json["effect"]?.string.flatMap({ Effect(rawValue: $0) })
    else { throw UnreadableRecord(what: "declaration of a tool") }
    self.init(
      name: name, description: description, parameters: parameters, effect: effect,
      hasProbe: json["probe"]?.bool ?? false, approval: json.present("approval"),
      schemas: json.present("schemas").flatMap { ToolSchemas($0) }, agent: json["agent"]?.string)
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("name", name)
    writer.member("description", description)
    writer.member("parameters", parameters)
    writer.member("effect", effect.rawValue)
    if hasProbe { writer.member("probe", true) }
    writer.memberIfPresent("approval", approval)
    if let agent { writer.member("agent", agent) }
    writer.memberIfPresent("schemas", schemas?.json)
    writer.endObject()
  }
}
