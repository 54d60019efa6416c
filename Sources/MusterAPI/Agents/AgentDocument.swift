import MusterJSON
import MusterStore
import MusterSystem

/// Makes and changes the documents of agents.
enum AgentDocument {
  private static let managed: Set<String> = Set(
    AgentProperty.all.filter { $0.access == .managed }.map { $0.name } + [
      "agent_id", "deployed_at", "should_reset_graph",
    ])

  /// The row of a new agent with what its maker gave. `template`: the id of the template that it comes from.
  static func create(
    _ given: AgentValues, plane: ControlPlane, caller: Caller, id: String = Identifier.make(), template: String? = nil
  ) -> AgentRow {
    let now = Timestamp.now()
    let slots = AgentValues.slots
    var values = given.placed
    setDefaultModel(plane.configuration, &values)
    values[slots.id] = .string(id)
    values[slots.uniqueName] = .string(UniqueName.make())
    values[slots.organizationID] = .string(caller.organizationID)
    values[slots.createdAt] = .string(now.iso8601)
    // The documented service names its own host here; ours is relative to the address at which Muster is served.
    values[slots.webhookURL] = .string("/webhook?agent_id=\(id)&asynchronous=false")
    if let template { values[slots.originTemplate] = .string(template) }
    if let user = caller.userID { values[slots.createdBy] = .string(user) }
    var text = emptyAgent.filled(values, others: given.unknown.filter { !managed.contains($0.key) })
    var secrets: [UInt8]?
    if slots.secrets.contains(where: { values[$0].map { !$0.isEmpty } ?? false }) {
      let (document, found) = AgentSecrets.separate(JSON.trusted(text), previous: nil)
      text = Array(document.bytes)
      secrets = found.map { Array($0.bytes) }
    }
    return AgentRow(
      organizationID: caller.organizationID, id: id, revision: 1, version: firstVersion, createdAt: now, updatedAt: now,
      document: text, secrets: secrets)
  }

  /// The version of a new agent, as the documented service counts.
  private static let firstVersion: Int64 = 2

  /// A new agent's document with every documented key, for those that nothing else is said of. Keys that are only shown
  /// when they were set have a place, and no value.
  private static let emptyAgent = JSONTemplate(
    AgentProperty.all.map { property in
      switch property.name {
      case "status": return (property.name, .literal("\"ACTIVE\""))
      case "version": return (property.name, .integer(firstVersion))
      case "is_latest": return (property.name, .boolean(true))
      case "has_pending_changes": return (property.name, .boolean(false))
      default:
        if property.access == .optional { return (property.name, nil) }
        return (property.name, property.defaultText.map { .trusted(Array($0.utf8)) } ?? .null)
      }
    })

  /// The plane's default model, for what the caller left out.
  private static func setDefaultModel(_ configuration: PlaneConfiguration, _ values: inout JSONPlacedValues) {
    let slots = AgentValues.slots
    let provider = values[slots.modelProvider]?.string ?? configuration.defaultProvider
    values[slots.modelProvider] = .string(provider)
    if values[slots.modelName] == nil, provider == configuration.defaultProvider {
      values[slots.modelName] = .string(configuration.defaultModel)
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
    "model_provider", "model_name", "framework", "type", "llm_api_base", "using_nemo", "is_coordinate_mode",
    "has_pending_changes", "use_oidc_pre_auth", "pre_auth_audiences", "use_oidc_pre_auth_token_for_llm",
    "oidc_pre_auth_token_llm_audience", "oidc_pre_auth_token_mcp_audience",
  ]

  private static let shortForm = JSONExcerpt(
    shortKeys.map { (name: String) -> (name: String, source: String, inner: String?) in
      name == "is_coordinate_mode" ? (name, "agno_settings", "coordinate_mode") : (name, name, nil)
    })

  /// Appends the short form of a stored document, spliced from it.
  static func appendShort(_ document: [UInt8], to text: inout [UInt8]) { shortForm.append(of: document, to: &text) }
}
