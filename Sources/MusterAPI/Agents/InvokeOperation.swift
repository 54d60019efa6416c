import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// The operation `agents.invoke`.
enum InvokeOperation {
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let row = try AgentOperations.find(call.agentID, call.plane)
    let requested = try version(call)
    let (version, document, secrets) = try chosen(requested, row, call)
    guard JSON.trusted(row.document)["status"]?.isString("INACTIVE") != true else {
      throw .api(400, "Agent is not active")
    }
    let request = documented(call.body)
    try check(request)
    try checkActive(agent: document, request: request)
    try checkSchemas(agent: document, request: request)
    let invocation = Invocation(
      organizationID: call.plane.organizationID, agentID: row.id, agentVersion: version, requestedVersion: requested,
      agent: AgentConfiguration(document: document, secrets: secrets),
      taskID: request["id"]?.string ?? Identifier.make(), request: request)
    let snapshot: TaskSnapshot
    do throws(RunError) {
      snapshot = try call.plane.runs.invoke(invocation, deadline: call.deadline, interrupt: call.interrupt)
    } catch {
      throw Failure(error)
    }
    return .json(try TaskDocument.make(snapshot, plane: call.plane))
  }

  // MARK: - Version

  /// The version that the caller asked for: "draft", a number in decimal, or nil.
  private static func version(_ call: OperationCall) throws(Failure) -> String? {
    if let number = call.integer("version") { return "\(number)" }
    guard let text = call.string("version") else { return nil }
    if text == "draft" { return text }
    guard text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int64(text) else {
      throw .validation(
        [.key("query"), .key("version")], "value is not a version number or draft", type: "value_error.version")
    }
    return "\(number)"
  }

  private static func chosen(
    _ requested: String?, _ row: AgentRow, _ call: OperationCall
  ) throws(Failure) -> (version: String, document: JSON, secrets: JSON?) {
    if requested == "draft" {
      return ("draft", .trusted(row.document), row.secrets.map { JSON.trusted($0) })
    }
    let number = requested.flatMap { Int64($0) } ?? row.version
    let found = try call.store { () throws(StoreError) in
      try call.plane.store.agentVersion(number, of: row.id, in: call.plane.organizationID)
    }
    guard let found else { throw .api(404, "Agent version not found") }
    return ("\(number)", .trusted(found.document), found.secrets.map { JSON.trusted($0) })
  }

  // MARK: - Request

  private static let documentedKeys: Set<String> = Set(
    SchemaCatalogue.compiled("InvokeAgent")?.root.properties.map { $0.name } ?? [])

  /// The documented keys of a body that are not null; null means not given, and unknown keys are ignored.
  private static func documented(_ body: JSON) -> JSON {
    var writer = JSONWriter(capacity: body.bytes.count)
    writer.beginObject()
    for member in body.members where !member.value.isNull && documentedKeys.contains(member.key) {
      writer.key(member.lexeme)
      writer.value(member.value)
    }
    writer.endObject()
    return writer.json
  }

  private static func check(_ request: JSON) throws(Failure) {
    let input = request["input"]
    if input?["text"]?.isEmpty ?? true, input?["files"]?.isEmpty ?? true {
      throw .validation(
        [.key("body"), .key("input"), .key("text")], "a text or at least one file is required",
        type: "value_error.missing")
    }
    for key in ["id", "parent_execution_id"] {
      guard let id = request[key]?.utf8 else { continue }
      let isForbidden = { (byte: UInt8) in
        byte < 0x20 || byte == 0x7f || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?")
          || byte == UInt8(ascii: "#")
      }
      guard id.count <= 255, !id.contains(where: isForbidden) else {
        throw .validation(
          [.key("body"), .key(key)], "an id has 1 to 255 bytes without /, ?, # and control characters",
          type: "value_error.id")
      }
    }
    // In full threads "root" is the key of the task that was asked for, and its sub-tasks stand beside it.
    if request["id"]?.isString("root") == true, request["parent_execution_id"] != nil {
      throw .validation(
        [.key("body"), .key("id")], "the id of a sub-task cannot be root", type: "value_error.id")
    }
  }

  // MARK: - What this version does

  /// 501 for a documented field that does nothing yet.
  private static func checkActive(agent: JSON, request: JSON) throws(Failure) {
    if let field = InactiveFields.invoke.first(in: request) ?? InactiveFields.agent.first(in: agent) {
      throw inactive(field)
    }
    if request["output_format"]?.isString("voice") ?? agent["output_format"]?.isString("voice") ?? false {
      throw inactive("output_format")
    }
    if agent["type"]?.isString("a2a") == true || agent["type"]?.isString("curl") == true { throw inactive("type") }
    let provider = request["llm_model_provider"] ?? agent["model_provider"] ?? .null
    if !provider.isString("openai"), !provider.isString("openai_compatible") {
      throw inactive(request["llm_model_provider"] == nil ? "model_provider" : "llm_model_provider")
    }
  }

  private static func inactive(_ field: String) -> Failure {
    .api(501, "\(field) has a value that does nothing in this version of Muster")
  }

  /// Schemas of the output have to be ones that can be checked.
  private static func checkSchemas(agent: JSON, request: JSON) throws(Failure) {
    for (owner, schema) in [("agent", agent["output_schema"]), ("request", request["output_schema"])] {
      guard let schema, schema.kind == .object, !schema.isEmpty else { continue }
      do throws(JSONSchemaError) {
        _ = try JSONSchema.compile(schema, components: nil)
      } catch {
        if error.kind == .unsupported { throw .api(501, "output_schema: \(error.description)") }
        if owner == "request" {
          throw .validation([.key("body"), .key("output_schema")], error.description, type: "value_error.schema")
        }
        throw .api(400, "output_schema of the agent: \(error.description)")
      }
    }
  }
}
