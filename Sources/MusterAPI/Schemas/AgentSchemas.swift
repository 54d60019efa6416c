/// The schemas of agents, as JSON text by name.
enum AgentSchemas {
  /// The providers whose names a request may carry: those of all generations of the service.
  static let providers = [
    "openai", "nim", "amazon_bedrock", "huggingFace", "friendlyAI", "anthropic", "gemini", "fireworks",
    "google_ai_studio", "helicone", "open_router", "nebius", "azure_ai_foundary", "bytedance", "tzafon_lightcone",
    "cloudflare_ai_gw", "z_ai", "openai_compatible",
  ]

  static let agnoSettingsDefault = """
    {"session_storage":true,"learning":false,"agent_memories":false,"agentic_culture":false,"user_memories":false,\
    "agentic_memory":false,"session_summaries":false,"num_history_runs":3,"max_tool_calls_from_history":0,\
    "tool_call_limit":0,"coordinate_mode":true,"pii_detection_enabled":false,"pii_detection_mask":false,\
    "prompt_injection_detection_enabled":false,"openai_moderation_enabled":false,"openai_moderation_categories":null,\
    "reasoning_tools_enabled":false,"tool_calls_compression":{"enabled":false,"threshold":3,"instructions":""}}
    """

  static let all: [(name: String, text: String)] = [
    ("AIAgent", agent),
    ("CreateAgent", create),
    ("UpdateAgent", update),
    ("MinimalAIAgent", minimal),
    ("AIAgentInstructions", instructions),
    ("AgnoSettings", agnoSettings),
    ("LLMCredentials", credentials),
    ("LLMSetting", setting),
    ("AttachedTool", attachedTool),
    ("SourceNode", sourceNode),
    ("AgentKnowledgeBase", knowledgeBase),
    ("GraphItem", graphItem),
    ("GraphItemSettings", graphItemSettings),
    ("HITLOptions", humanOptions),
    ("MCPSettings", mcpSettings),
    ("MinimalAIAgentPage", SharedSchemas.page(of: "MinimalAIAgent")),
    ("AIAgentPage", SharedSchemas.page(of: "AIAgent")),
  ]

  private static func object(
    _ properties: [AgentProperty], withDefaults: Bool, required: String, description: String
  ) -> String {
    let members = properties.map { $0.member(withDefault: withDefaults) }.joined(separator: ",")
    return #"{"type":"object","description":"\#(description)","properties":{\#(members)},"required":[\#(required)]}"#
  }

  private static let agent = object(
    AgentProperty.all, withDefaults: true, required: #""id","name","organization_id","webhook_url""#,
    description: "An agent with its whole configuration. Keys that this version does not know are kept and given back.")

  private static let create = object(
    AgentProperty.all.filter { $0.access != .managed }, withDefaults: true, required: #""name""#,
    description: "A new agent. Only the name is required.")

  /// Without defaults at the top: only what is sent changes.
  private static let update = object(
    AgentProperty.all.filter { $0.access != .managed || $0.name == "status" }
      + [AgentProperty("should_reset_graph", .optional, #"{"type":"boolean"}"#)],
    withDefaults: false, required: "",
    description: "The keys to change; at least one. An object or array replaces the stored one.")

  private static let minimal = """
    {"type":"object","description":"An agent in short form.","properties":{"id":{"type":"string"},"name":{"type":"string"},\
    "description":{"type":["string","null"]},"icon":{"type":["string","null"]},"status":{"type":["string","null"]},\
    "organization_id":{"type":"string"},"deployment_type":{"type":["string","null"]},"created_at":{"type":"string",\
    "format":"date-time"},"instructions":{"$ref":"#/components/schemas/AIAgentInstructions"},"model_provider":{"type":"string"},\
    "model_name":{"type":"string"},"framework":{"type":["string","null"]},"type":{"type":"string"},"llm_api_base":{"type":\
    ["string","null"]},"using_nemo":{"type":["boolean","null"]},"is_coordinate_mode":{"type":["boolean","null"]},\
    "has_pending_changes":{"type":"boolean"},"use_oidc_pre_auth":{"type":"boolean"},"pre_auth_audiences":{"type":"array","items":\
    {"type":"string"}},"use_oidc_pre_auth_token_for_llm":{"type":"boolean"},"oidc_pre_auth_token_llm_audience":{"type":\
    ["string","null"]},"oidc_pre_auth_token_mcp_audience":{"type":["string","null"]}},"required":["name","organization_id"]}
    """

  private static let instructions = """
    {"type":"object","properties":{"role":{"type":"array","items":{"type":"string"},"default":[]},"goal":{"type":"array",\
    "items":{"type":"string"},"default":[]},"general":{"type":"string","default":""}}}
    """

  private static let agnoSettings = """
    {"type":"object","properties":{\
    "session_storage":{"type":"boolean","default":true},\
    "learning":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "agent_memories":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "agentic_culture":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "user_memories":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "agentic_memory":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "session_summaries":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "num_history_runs":{"type":"integer","minimum":0,"default":3},\
    "max_tool_calls_from_history":{"type":"integer","minimum":0,"default":0,"description":"How many calls of tools of earlier turns \
    the model is shown: the last so many of the turns that num_history_runs lets it see. 0: all of them."},\
    "tool_call_limit":{"type":"integer","minimum":0,"default":0},\
    "coordinate_mode":{"type":"boolean","default":true,"x-muster-inactive":true},\
    "pii_detection_enabled":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "pii_detection_mask":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "prompt_injection_detection_enabled":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "openai_moderation_enabled":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "openai_moderation_categories":{"type":["array","null"],"items":{"type":"string"},"default":null,"x-muster-inactive":true},\
    "reasoning_tools_enabled":{"type":"boolean","default":false,"x-muster-inactive":true},\
    "tool_calls_compression":{"type":"object","default":{"enabled":false,"threshold":3,"instructions":""},"properties":{\
    "enabled":{"type":"boolean","default":false,"x-muster-inactive":true},"threshold":{"type":"integer","default":3},\
    "instructions":{"type":"string","default":""}}}}}
    """

  private static let credentials = """
    {"type":"object","description":"A credential of the agent's own. The value is never shown: answers carry ********, and sending that back \
    keeps it.","properties":{"name":{"type":"string"},"value":{"type":"string"},"description":{"type":["string","null"],\
    "default":null}},"required":["name","value"]}
    """

  private static let setting = """
    {"type":"object","properties":{"type":{"type":"string","enum":["before","after"]},"provider":{"type":["string","null"],\
    "default":"openai"},"model":{"type":["string","null"],"default":"gpt-4.1"},"temperature":{"type":["number","null"],\
    "default":0.0}},"required":["type"]}
    """

  private static let attachedTool = """
    {"type":"object","properties":{"id":{"type":"string"},"operation_ids":{"type":"array","items":{"type":"string"}}},\
    "required":["id","operation_ids"]}
    """

  private static let sourceNode = """
    {"type":"object","properties":{"id":{"type":["string","null"]},"type":{"type":"string","enum":["workbench","sdk","task",\
    "assistant","webhook","mcp","a2a","telegram","slack","email","api"]},"targets":{"type":["array","null"],"items":{"type":\
    "string"}},"metadata":{"type":["object","null"],"default":{}}},"required":["type"]}
    """

  private static let knowledgeBase = """
    {"type":"object","properties":{"id":{"type":"string"},"name":{"type":["string","null"]},"description":{"type":["string",\
    "null"]},"strategy":{"type":"string","enum":["vanilla","agentic_rag"]},"rw":{"type":["boolean","null"],"default":false},\
    "documents":{"type":["array","null"],"default":[]}},"required":["id","strategy"]}
    """

  private static let graphItem = """
    {"type":"object","properties":{"id":{"type":["string","null"]},"item_id":{"type":"string"},"name":{"type":["string","null"]},\
    "type":{"type":"string","enum":["source_node","agent","tool","human_in_the_loop","xpsleep-agent-delay","custom_agent","storage",\
    "coding_agent","mcp","workflow","local_db","skills"]},"sub_type":{"type":["string","null"],"enum":["sdk","task","assistant",\
    "webhook","operation","custom_function","local_tool",null]},"targets":{"type":"array","items":{"type":"string"}},"settings":\
    {"anyOf":[{"$ref":"#/components/schemas/GraphItemSettings"},{"type":"null"}]},"llm_settings":{"type":["array","null"],\
    "default":[]},"is_first":{"type":["boolean","null"],"default":false}},"required":["item_id","type","targets"]}
    """

  private static let graphItemSettings = """
    {"type":"object","properties":{"instructions":{"type":["string","null"]},"description":{"type":["string","null"]},"schemas":\
    {"type":["object","null"]},"advanced_filtering_options":{"type":["object","null"]},"hitl_options":{"anyOf":[{"$ref":\
    "#/components/schemas/HITLOptions"},{"type":"null"}]},"a2a_options":{"type":["object","null"]},"coding_agent_settings":{"type":\
    ["object","null"]},"mcp_settings":{"anyOf":[{"$ref":"#/components/schemas/MCPSettings"},{"type":"null"}]},"use_cache":{"type":\
    ["boolean","null"],"default":false}}}
    """

  private static let humanOptions = """
    {"type":"object","properties":{"title":{"type":["string","null"]},"description":{"type":["string","null"]},"recipients":{"type":\
    ["array","null"]},"hitl_type":{"type":["string","null"],"enum":["slack",null]},"slack_app":{},\
    "should_approve_with_current_user":{"type":["boolean","null"],"default":true},"enabled":{"type":["boolean","null"]}}}
    """

  private static let mcpSettings = """
    {"type":"object","properties":{"type":{"type":["string","null"],"enum":["local","remote",null],"default":"remote"},"name":{"type":\
    ["string","null"]},"command":{"type":["string","null"]},"url":{"type":["string","null"]},"transport":{"type":["string","null"],\
    "enum":["stdio","sse","streamable-http",null],"default":"streamable-http"},"auth_type":{"type":["string","null"],"enum":["api_key",\
    "oauth2","custom_headers","none","sso_user",null],"default":"none"},"api_key":{"type":["string","null"]},"client_id":{"type":\
    ["string","null"]},"client_secret":{"type":["string","null"]},"additional_scopes":{"type":["array","null"],"default":[]},"headers":\
    {"type":["object","null"],"default":{}},"env_vars":{"type":["object","null"],"default":{}},"allowed_tools":{"type":["array","null"],\
    "default":[]},"share_user_token_across_other_agents":{"type":["boolean","null"],"default":true}}}
    """
}
