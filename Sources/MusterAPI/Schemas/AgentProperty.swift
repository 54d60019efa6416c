import MusterJSON

/// A documented key of the agent object: written once, used in the answer, in the bodies of create and update, and by the engine's check of what is active.
///
/// Source: the contract's agent object, create body and newer client fields.
struct AgentProperty: Sendable {
  enum Access: Sendable {
    /// The service sets it; what a caller sends is ignored.
    case managed
    /// The caller may set it.
    case settable
    /// The caller may set it, and it is only shown when it was set.
    case optional
  }

  let name: String
  /// The name as a key is written.
  let lexeme: JSON
  let access: Access
  /// The JSON Schema of the value. `x-muster-inactive` marks what is stored but does nothing yet.
  let schema: String
  /// The default as JSON text; nil for none.
  let defaultText: String?

  init(_ name: String, _ access: Access, _ schema: String, default defaultText: String? = nil) {
    self.name = name
    lexeme = .string(name)
    self.access = access
    self.schema = schema
    self.defaultText = defaultText
  }

  /// The member of a `properties` object.
  func member(withDefault: Bool) -> String {
    guard withDefault, let defaultText else { return "\"\(name)\":\(schema)" }
    return "\"\(name)\":\(schema.dropLast()),\"default\":\(defaultText)}"
  }

  private static let text = #"{"type":"string"}"#
  private static let optionalText = #"{"type":["string","null"]}"#
  private static let flag = #"{"type":"boolean"}"#
  private static let inactiveFlag = #"{"type":"boolean","x-muster-inactive":true}"#
  private static let inactiveText = #"{"type":["string","null"],"x-muster-inactive":true}"#

  private static func inactiveFlag(neutral: Bool) -> String {
    #"{"type":["boolean","null"],"x-muster-inactive":true,"x-muster-neutral":\#(neutral)}"#
  }

  private static func inactiveList(of component: String) -> String {
    ##"{"type":"array","items":{"$ref":"#/components/schemas/\##(component)"},"x-muster-inactive":true}"##
  }

  /// The providers whose names a request may carry.
  static let providerEnumeration =
    "{\"type\":\"string\",\"enum\":[\(AgentSchemas.providers.map { "\"\($0)\"" }.joined(separator: ","))]}"

  static let all: [AgentProperty] = [
    .init("id", .managed, #"{"type":"string","format":"uuid"}"#),
    .init("unique_name", .managed, optionalText),
    .init("name", .settable, #"{"type":"string","minLength":1}"#),
    .init("description", .settable, text, default: #""""#),
    .init("icon", .settable, text, default: #""🚀""#),
    .init("avatar", .settable, text, default: #""male-avatar""#),
    .init("status", .managed, #"{"type":"string","enum":["DRAFT","ACTIVE","INACTIVE"]}"#),
    .init("type", .settable, #"{"type":"string","enum":["manager","regular","a2a","curl"]}"#, default: #""manager""#),
    .init("organization_id", .managed, text),
    .init("environment_id", .settable, optionalText, default: "null"),
    .init("origin_template", .managed, optionalText),
    .init("created_by", .managed, optionalText),
    .init("created_by_details", .managed, #"{"type":["object","null"]}"#),
    .init("created_at", .managed, #"{"type":"string","format":"date-time"}"#),
    .init("created_by_prompt", .settable, optionalText, default: "null"),
    .init("prompts", .settable, #"{"type":"array","items":{"type":"string"}}"#, default: "[]"),
    .init("version", .managed, #"{"type":"integer"}"#),
    .init("is_latest", .managed, flag),
    .init("has_pending_changes", .managed, flag),
    .init(
      "deployment_type", .settable, #"{"type":"string","enum":["serverless","container"]}"#, default: #""serverless""#),
    .init(
      "access_scope", .settable, #"{"type":"string","enum":["personal","organizational","project"]}"#,
      default: #""organizational""#),
    .init("framework", .settable, text, default: #""agno""#),
    .init("model_provider", .settable, providerEnumeration, default: #""openai""#),
    .init("model_name", .settable, #"{"type":"string","minLength":1}"#, default: #""gpt-4.1""#),
    .init(
      "llm_reasoning_effort", .settable, #"{"type":"string","enum":["low","medium","high","xhigh"]}"#,
      default: #""medium""#),
    .init("llm_api_base", .settable, optionalText, default: "null"),
    .init(
      "llm_extra_headers", .settable, #"{"type":"object","additionalProperties":{"type":"string"}}"#, default: "{}"),
    .init("llm_credentials_key", .settable, inactiveText, default: "null"),
    .init(
      "llm_credentials_key_type", .settable, #"{"type":"string","enum":["xpander","custom"]}"#,
      default: #""xpander""#),
    .init(
      "llm_credentials", .settable,
      ##"{"anyOf":[{"$ref":"#/components/schemas/LLMCredentials"},{"type":"null"}]}"##, default: "null"),
    .init("llm_settings", .settable, inactiveList(of: "LLMSetting"), default: "[]"),
    .init(
      "instructions", .settable, ##"{"$ref":"#/components/schemas/AIAgentInstructions"}"##,
      default: #"{"role":[],"goal":[],"general":""}"#),
    .init("expected_output", .settable, text, default: #""""#),
    .init(
      "output_format", .settable, #"{"type":"string","enum":["text","markdown","json","voice"]}"#,
      default: #""markdown""#),
    .init("output_schema", .settable, #"{"type":["object","null"]}"#, default: "null"),
    .init("voice_id", .settable, inactiveText, default: "null"),
    .init("tools", .settable, #"{"type":"array"}"#, default: "[]"),
    .init("attached_tools", .settable, inactiveList(of: "AttachedTool"), default: "[]"),
    .init(
      "graph", .settable, ##"{"type":"array","items":{"$ref":"#/components/schemas/GraphItem"}}"##, default: "[]"),
    .init(
      "source_nodes", .settable, ##"{"type":"array","items":{"$ref":"#/components/schemas/SourceNode"}}"##,
      default: "[]"),
    .init("oas", .settable, #"{"type":"object"}"#, default: "{}"),
    .init("knowledge_bases", .settable, inactiveList(of: "AgentKnowledgeBase"), default: "[]"),
    .init(
      "connectivity_details", .settable, #"{"type":["object","null"],"x-muster-inactive":true}"#, default: "{}"),
    .init(
      "delegation_type", .settable, #"{"type":"string","enum":["router","sequence"]}"#,
      default: #""router""#),
    .init(
      "delegation_memory_strategy", .settable,
      #"{"type":"string","enum":["full","summarization","original-input"]}"#,
      default: #""summarization""#),
    .init(
      "delegation_end_strategy", .settable,
      #"{"type":"string","enum":["return-to-start","finish-with-last"]}"#,
      default: #""return-to-start""#),
    .init("sub_agents_continuous_thread", .settable, #"{"type":"boolean"}"#, default: "true"),
    .init("deep_planning", .settable, inactiveFlag, default: "false"),
    .init("enforce_deep_planning", .settable, inactiveFlag, default: "false"),
    .init(
      "agno_settings", .settable, ##"{"$ref":"#/components/schemas/AgnoSettings"}"##,
      default: AgentSchemas.agnoSettingsDefault),
    .init("is_ai_employee", .settable, inactiveFlag, default: "false"),
    .init("using_nemo", .settable, inactiveFlag, default: "false"),
    .init("is_generalist", .settable, inactiveFlag, default: "false"),
    .init("prompts_caching_enabled", .settable, inactiveFlag, default: "false"),
    .init("deletable", .settable, flag, default: "true"),
    .init("on_prem_event_streaming", .settable, inactiveFlag, default: "true"),
    .init("webhook_url", .managed, text),
    .init("use_oidc_pre_auth", .settable, inactiveFlag, default: "false"),
    .init(
      "pre_auth_audiences", .settable, #"{"type":"array","items":{"type":"string"},"x-muster-inactive":true}"#,
      default: "[]"),
    .init("use_oidc_pre_auth_token_for_llm", .settable, inactiveFlag, default: "false"),
    .init("oidc_pre_auth_token_llm_audience", .settable, inactiveText, default: "null"),
    .init("oidc_pre_auth_token_mcp_audience", .settable, inactiveText, default: "null"),
    .init("runtime_environment_id", .optional, optionalText),
    .init("is_omni", .optional, inactiveFlag(neutral: false)),
    .init("skills", .optional, #"{"type":["array","null"],"x-muster-inactive":true}"#),
    .init("use_agent_gateway", .optional, inactiveFlag(neutral: false)),
    .init("orchestration_nodes", .optional, #"{"type":["array","null"],"x-muster-inactive":true}"#),
    .init("notification_settings", .optional, #"{"type":["object","null"],"x-muster-inactive":true}"#),
    .init("task_level_strategies", .optional, #"{"type":["object","null"],"x-muster-inactive":true}"#),
    .init("can_self_schedule", .optional, inactiveFlag(neutral: true)),
    .init(
      "max_self_schedules", .optional,
      #"{"type":["integer","null"],"minimum":1,"maximum":1000,"x-muster-inactive":true,"x-muster-neutral":3}"#),
    .init("use_dynamic_tools", .optional, inactiveFlag(neutral: false)),
    .init("workspace_tools_enabled", .optional, inactiveFlag(neutral: true)),
    .init("live_surface_sharing_enabled", .optional, inactiveFlag(neutral: true)),
    .init("is_autonomous", .optional, inactiveFlag(neutral: false)),
    .init("discoverable", .optional, inactiveFlag(neutral: true)),
    .init("with_auto_context_management", .optional, inactiveFlag(neutral: true)),
    .init("developer_access", .optional, inactiveFlag(neutral: true)),
    .init("should_stage_before_publish", .optional, inactiveFlag(neutral: false)),
  ]
}
