import MusterJSON
import MusterStore
import MusterSystem

/// Makes and changes the documents of agents.
enum AgentDocument {
  private static let managed: Set<String> = Set(
    AgentProperty.all.filter { $0.access == .managed }.map { $0.name } + [
      "agent_id", "deployed_at", "should_reset_graph",
    ])

  /// The row of a new agent. `body` has its defaults; `original` is the body as it came.
  static func create(_ body: JSON, original: JSON, plane: ControlPlane) -> AgentRow {
    let id = Identifier.make()
    let now = Timestamp.now()
    var values = AgentValues(given: body)
    setDefaultModel(original, plane.configuration, &values)
    values["id"] = .string(id)
    values["unique_name"] = .string(UniqueName.make())
    values["status"] = .literal("\"ACTIVE\"")
    values["organization_id"] = .string(plane.organizationID)
    values["created_at"] = .string(now.iso8601)
    values["version"] = .integer(firstVersion)
    values["is_latest"] = .boolean(true)
    values["has_pending_changes"] = .boolean(false)
    // The documented service names its own host here; ours is relative to the address at which Muster is served.
    values["webhook_url"] = .string("/webhook?agent_id=\(id)&asynchronous=false")
    if let user = plane.configuration.userID { values["created_by"] = .string(user) }
    var writer = JSONWriter(capacity: body.bytes.count + 1024)
    writer.beginObject()
    values.write(to: &writer)
    for member in values.unknown where !managed.contains(member.key) {
      writer.key(member.lexeme)
      writer.value(member.value)
    }
    writer.endObject()
    var (document, secrets): (JSON, JSON?) = (writer.json, nil)
    if AgentSecrets.keys.contains(where: { values[$0].map { !$0.isEmpty } ?? false }) {
      (document, secrets) = AgentSecrets.separate(document, previous: nil)
    }
    return AgentRow(
      organizationID: plane.organizationID, id: id, revision: 1, version: firstVersion, createdAt: now, updatedAt: now,
      document: Array(document.bytes), secrets: secrets.map { Array($0.bytes) })
  }

  /// The version of a new agent, as the documented service counts.
  private static let firstVersion: Int64 = 2

  /// The plane's default model, for what the caller left out.
  private static func setDefaultModel(
    _ original: JSON, _ configuration: PlaneConfiguration, _ values: inout AgentValues
  ) {
    let provider = original.present("model_provider")?.string ?? configuration.defaultProvider
    values["model_provider"] = .string(provider)
    if original.present("model_name") == nil, provider == configuration.defaultProvider {
      values["model_name"] = .string(configuration.defaultModel)
    }
  }

  /// The row with the changes of a body (which has its inner defaults); nil when it changes nothing that can be changed.
  static func change(_ row: AgentRow, _ body: JSON) -> AgentRow? {
    var changes: [(key: String, value: JSON)] = []
    var isStaged = false
    for member in body.members {
      if member.key == "should_reset_graph" {
        guard member.value.bool == true, body["graph"] == nil else { continue }
        changes.append(("graph", .literal("[]")))
        isStaged = true
      } else if member.key == "status" {
        // Enabling and disabling an agent acts at once; it is not part of what a deploy publishes.
        changes.append(("status", member.value))
      } else if !managed.contains(member.key) {
        changes.append((member.key, member.value))
        isStaged = true
      }
    }
    if changes.isEmpty { return nil }
    if isStaged { changes.append(("has_pending_changes", .boolean(true))) }
    let (document, secrets) = AgentSecrets.separate(
      JSON.trusted(row.document).setting(changes), previous: row.secrets.map { JSON.trusted($0) })
    var changed = row
    changed.document = Array(document.bytes)
    changed.secrets = secrets.map { Array($0.bytes) }
    changed.updatedAt = .now()
    return changed
  }

  /// The row as it is deployed: a new version, active, without pending changes.
  static func deploy(_ row: AgentRow) -> AgentRow {
    let document = JSON.trusted(row.document)
    var changes: [(key: String, value: JSON)] = [
      ("status", .literal("\"ACTIVE\"")), ("version", .integer(row.version &+ 1)), ("is_latest", .boolean(true)),
      ("has_pending_changes", .boolean(false)),
    ]
    if document["description"]?.isEmpty ?? true, let text = description(document) {
      changes.append(("description", .string(text)))
    }
    var deployed = row
    deployed.version = row.version &+ 1
    deployed.document = Array(document.setting(changes).bytes)
    deployed.updatedAt = .now()
    return deployed
  }

  /// What the instructions say an agent is: their first line, or the first role or goal.
  private static func description(_ document: JSON) -> String? {
    guard let instructions = document["instructions"] else { return nil }
    let texts =
      [instructions["general"]?.string] + (instructions["role"]?.elements ?? []).map { $0.string }
      + (instructions["goal"]?.elements ?? []).map { $0.string }
    for case let text? in texts {
      let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" }.prefix(200)
      if line.contains(where: { $0 != " " }) { return String(String.UnicodeScalarView(line)) }
    }
    return nil
  }

  // MARK: - Short form

  private static let shortKeys = [
    "id", "name", "description", "icon", "status", "organization_id", "deployment_type", "created_at", "instructions",
    "model_provider", "model_name", "framework", "type", "llm_api_base", "using_nemo", "has_pending_changes",
    "use_oidc_pre_auth", "pre_auth_audiences", "use_oidc_pre_auth_token_for_llm", "oidc_pre_auth_token_llm_audience",
    "oidc_pre_auth_token_mcp_audience",
  ]

  /// The short form of a stored document, spliced from it.
  static func short(_ document: [UInt8]) -> [UInt8] {
    var values: [String: JSON] = [:]
    for member in JSON.trusted(document).members { values[member.key] = member.value }
    var writer = JSONWriter(capacity: 1024)
    writer.beginObject()
    for key in shortKeys {
      writer.member(key, values[key])
      if key == "using_nemo" { writer.member("is_coordinate_mode", values["agno_settings"]?["coordinate_mode"]) }
    }
    writer.endObject()
    return writer.bytes
  }
}
