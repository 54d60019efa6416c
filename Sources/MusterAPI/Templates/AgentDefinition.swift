import MusterJSON

/// What of an agent's document goes into a template: the documented keys, and of those only the ones that can hold no
/// credential, no organization and no user. Everything else stays out, also what this version does not know.
enum AgentDefinition {
  /// Documented keys that stay out: credentials and addresses, what belongs to an organization, and objects of which
  /// the documentation does not say what may be in them.
  private static let excluded: Set<String> = [
    "environment_id", "runtime_environment_id", "llm_api_base", "llm_extra_headers", "llm_credentials_key",
    "llm_credentials_key_type", "llm_credentials", "knowledge_bases", "use_oidc_pre_auth", "pre_auth_audiences",
    "use_oidc_pre_auth_token_for_llm", "oidc_pre_auth_token_llm_audience", "oidc_pre_auth_token_mcp_audience",
    "notification_settings", "task_level_strategies", "orchestration_nodes", "skills", "deletable",
  ]

  /// The keys of an agent that a template has.
  static let properties: [AgentProperty] = AgentProperty.all.filter { property in
    if case .managed = property.access { return false }
    return !excluded.contains(property.name)
  }

  /// Further in: what stays out, by its place without the indices of arrays.
  private static let excludedInside: Set<String> = [
    "graph.settings.mcp_settings.api_key", "graph.settings.mcp_settings.client_secret",
    "graph.settings.mcp_settings.headers", "graph.settings.mcp_settings.env_vars",
    "graph.settings.hitl_options.recipients", "graph.settings.hitl_options.slack_app", "source_nodes.metadata",
  ]

  /// Objects whose schema leaves their members open, and the members that are documented.
  private static let members: [String: Set<String>] = [
    "connectivity_details": [
      "agent_url", "auth_type", "api_key_header_name", "invoke_url", "method", "prompt_field_name", "files_field_name",
      "task_id_field_name",
    ],
    "graph.llm_settings": ["type", "provider", "model", "temperature"],
    "graph.settings.a2a_options": ["url"],
    "graph.settings.advanced_filtering_options": ["returnables", "searchables", "globally_enabled"],
    "graph.settings.coding_agent_settings": ["type"],
    "graph.settings.schemas": ["input", "output"],
    "tools": [
      "id", "name", "raw_description", "function_description", "method", "path", "path_params", "query_params",
      "body_schema", "parameters",
    ],
  ]

  /// Addresses, which may hold credentials: user and query are cut off.
  private static let addresses: Set<String> = [
    "connectivity_details.agent_url", "connectivity_details.invoke_url", "graph.settings.a2a_options.url",
    "graph.settings.mcp_settings.url",
  ]

  private static let schema = SchemaCatalogue.compiled("AIAgent")

  /// The definition of an agent. `subAgents`: the definitions of the agents that it refers to, as far as they are not
  /// elsewhere in the template; items of the graph whose agent is in `lost` are left out.
  static func make(_ document: JSON, subAgents: [JSON], lost: Set<String>) -> JSON {
    var writer = JSONWriter(capacity: document.bytes.count)
    writer.beginObject()
    writer.member("id", document["id"])
    writer.member("unique_name", document["unique_name"])
    for property in properties {
      guard var value = document[property.name] else { continue }
      if property.name == "graph" { value = TemplateGraph.dropping(lost, from: value) }
      writer.member(text: property.name, clean(value, schema?.root.property(property.name), property.name))
    }
    writer.member("status", document["status"])
    writer.member("version", document["version"])
    writer.member("custom_functions", .literal("[]"))
    writer.member("connectors", .literal("[]"))
    writer.key("sub_agents")
    writer.beginArray()
    for agent in subAgents { writer.value(agent) }
    writer.endArray()
    writer.member("knowledge_bases", .literal("[]"))
    writer.endObject()
    return writer.json
  }

  /// The documented members of a value. The recursion follows the schema, which has no loops.
  private static func clean(_ value: JSON, _ node: JSONSchemaNode?, _ place: String) -> JSON {
    switch value.kind {
    case .object:
      let known = node?.properties.isEmpty == false ? node : nil
      if known == nil, members[place] == nil { return value }
      var writer = JSONWriter(capacity: value.bytes.count)
      writer.beginObject()
      for member in value.members {
        let key = member.key
        let inner = "\(place).\(key)"
        guard !excludedInside.contains(inner), known?.property(key) != nil || members[place]?.contains(key) == true
        else { continue }
        writer.key(member.lexeme)
        writer.value(clean(member.value, known?.property(key), inner))
      }
      writer.endObject()
      return writer.json
    case .array:
      // An array of objects whose members are not documented one by one is taken as it is.
      if node?.items == nil, members[place] == nil { return value }
      var writer = JSONWriter(capacity: value.bytes.count)
      writer.beginArray()
      for element in value.elements { writer.value(clean(element, node?.items, place)) }
      writer.endArray()
      return writer.json
    case .string: return addresses.contains(place) ? withoutCredentials(value) : value
    default: return value
    }
  }

  /// An address without user and query.
  private static func withoutCredentials(_ address: JSON) -> JSON {
    guard var bytes = address.utf8 else { return address }
    if let end = bytes.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
      bytes.removeSubrange(end...)
    }
    // What is before the path, behind the two slashes of the scheme.
    var start = 0
    if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].dropFirst().starts(with: "//".utf8) {
      start = colon + 3
    }
    let path = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
    if let at = bytes[start..<path].lastIndex(of: UInt8(ascii: "@")) { bytes.removeSubrange(start...at) }
    return .string(String(decoding: bytes, as: UTF8.self))
  }
}
