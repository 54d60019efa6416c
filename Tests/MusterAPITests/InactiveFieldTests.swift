import MusterJSON
import Testing

@testable import MusterAPI

@Suite("Fields that do nothing in this version")
struct InactiveFieldTests {
  /// A value of each marked field that asks for something.
  static let agent: [(path: String, value: String)] = [
    ("llm_credentials_key", #""k""#), ("llm_settings", #"[{"type":"before"}]"#), ("voice_id", #""v""#),
    ("attached_tools", #"[{"id":"t","operation_ids":[]}]"#),
    ("knowledge_bases", #"[{"id":"k","strategy":"vanilla"}]"#), ("connectivity_details", #"{"agent_url":"http://h"}"#),
    ("deep_planning", "true"), ("enforce_deep_planning", "true"), ("agno_settings.learning", "true"),
    ("agno_settings.agent_memories", "true"), ("agno_settings.agentic_culture", "true"),
    ("agno_settings.user_memories", "true"), ("agno_settings.agentic_memory", "true"),
    ("agno_settings.session_summaries", "true"), ("agno_settings.coordinate_mode", "false"),
    ("agno_settings.pii_detection_enabled", "true"), ("agno_settings.pii_detection_mask", "true"),
    ("agno_settings.prompt_injection_detection_enabled", "true"), ("agno_settings.openai_moderation_enabled", "true"),
    ("agno_settings.openai_moderation_categories", #"["hate"]"#), ("agno_settings.reasoning_tools_enabled", "true"),
    ("agno_settings.tool_calls_compression.enabled", "true"), ("is_ai_employee", "true"), ("using_nemo", "true"),
    ("is_generalist", "true"), ("prompts_caching_enabled", "true"), ("on_prem_event_streaming", "false"),
    ("use_oidc_pre_auth", "true"), ("pre_auth_audiences", #"["a"]"#), ("use_oidc_pre_auth_token_for_llm", "true"),
    ("oidc_pre_auth_token_llm_audience", #""a""#), ("oidc_pre_auth_token_mcp_audience", #""a""#), ("is_omni", "true"),
    ("skills", "[1]"), ("use_agent_gateway", "true"), ("orchestration_nodes", "[1]"),
    ("notification_settings", #"{"a":1}"#), ("task_level_strategies", #"{"a":1}"#), ("can_self_schedule", "false"),
    ("max_self_schedules", "4"), ("use_dynamic_tools", "true"), ("workspace_tools_enabled", "false"),
    ("live_surface_sharing_enabled", "false"), ("is_autonomous", "true"), ("discoverable", "false"),
    ("with_auto_context_management", "false"), ("developer_access", "false"), ("should_stage_before_publish", "true"),
  ]

  /// Values of the same fields that ask for nothing.
  static let neutralAgent = """
    {"llm_credentials_key":"","tools":[],"graph":[],"connectivity_details":{},"delegation_type":"router","deep_planning":false,\
    "sub_agents_continuous_thread":true,"agno_settings":{"learning":false,"coordinate_mode":true,"tool_call_limit":0,\
    "openai_moderation_categories":[],"tool_calls_compression":{"enabled":false,"threshold":9}},"is_omni":false,"skills":[],\
    "can_self_schedule":true,"max_self_schedules":3,"workspace_tools_enabled":null,"notification_settings":{},\
    "developer_access":true}
    """

  static let invoke: [(path: String, value: String)] = [
    ("think_mode", #""harder""#), ("mcp_servers", #"[{"url":"http://h"}]"#), ("worker_id", #""w""#),
    ("run_locally", "true"), ("user_tokens", #"{"a":"user-token-1"}"#), ("user_oidc_token", #""user-token-1""#),
    ("test_run_node_id", #""n""#), ("return_metrics", "true"), ("harness_cli", #""h""#),
    ("permission_mode", #""gated""#), ("input.files", #"["http://h/f"]"#), ("input.attachments", #"[{"url":"u"}]"#),
    ("input.principal", #"{"kind":"user"}"#),
  ]

  static let neutralInvoke = """
    {"think_mode":"default","mcp_servers":[],"worker_id":"","run_locally":false,"user_tokens":{},"user_oidc_token":null,\
    "return_metrics":false,"tool_call_limit":0,"permission_mode":null,\
    "input":{"text":"hello","files":[],"attachments":[],"principal":{}}}
    """

  /// The paths of the fields that a component marks.
  private func marked(_ component: String) throws -> Set<String> {
    var found: Set<String> = []
    func walk(_ node: JSONSchemaNode, _ prefix: String, _ depth: Int) {
      guard depth < 6 else { return }
      for property in node.properties {
        if property.node.annotation("x-muster-inactive")?.bool == true {
          found.insert(prefix + property.name)
        } else {
          walk(property.node, prefix + property.name + ".", depth + 1)
        }
      }
    }
    walk(try #require(SchemaCatalogue.compiled(component)).root, "", 0)
    return found
  }

  /// `a.b` with a value, as a body.
  private func body(_ path: String, _ value: String) -> String {
    var text = value
    for part in path.split(separator: ".").reversed() { text = #"{"\#(part)":\#(text)}"# }
    return text
  }

  @Test("the tables of this test have every marked field, and no other")
  func complete() throws {
    #expect(try marked("AIAgent") == Set(InactiveFieldTests.agent.map { $0.path }))
    #expect(try marked("InvokeAgent") == Set(InactiveFieldTests.invoke.map { $0.path }))
  }

  @Test("an agent with such a field is stored, and its invoke answers 501 naming the field")
  func agents() throws {
    let bench = try Bench()
    for (path, value) in InactiveFieldTests.agent {
      let id = try bench.agent("echo", body(path, value))
      let failure = try bench.failure("agents.invoke", try bench.invocation(id))
      #expect(failure.httpStatus == 501, "\(path)")
      #expect(
        text(failure.document) == #"{"detail":"\#(path) has a value that does nothing in this version of Muster"}"#)
    }
    #expect(try bench.call("tasks.list")["total"]?.int64 == 0)
  }

  @Test(
    "tools and items of the graph that are not functions of the host are refused in the same way",
    arguments: [
      ("tools", "[1]", "tools"), ("tools", #"[{"id":"t","name":"t","method":"get","path":"/operation/t"}]"#, "tools"),
      ("graph", #"[{"item_id":"i","type":"tool","targets":[]}]"#, "graph"),
      ("graph", #"[{"item_id":"i","type":"mcp","targets":[]}]"#, "graph"),
      (
        "graph",
        #"[{"item_id":"i","type":"tool","sub_type":"local_tool","targets":[],"settings":{"schemas":{"input":{"a":1}}}}]"#,
        "graph.settings.schemas"
      ),
      (
        "graph",
        #"[{"item_id":"i","type":"agent","targets":[],"settings":{"schemas":{"input":{"properties":{}}}}}]"#,
        "graph.settings.schemas"
      ),
      ("graph", #"[{"item_id":"i","type":"tool","sub_type":"local_tool","targets":["j"]}]"#, "graph.targets"),
    ])
  func tools(field: String, value: String, path: String) throws {
    let bench = try Bench()
    let id = try bench.agent("echo", body(field, value))
    let failure = try bench.failure("agents.invoke", try bench.invocation(id))
    #expect(failure.httpStatus == 501)
    #expect(text(failure.document) == #"{"detail":"\#(path) has a value that does nothing in this version of Muster"}"#)
  }

  @Test(
    "what would restrict who approves a call, or when, is refused; whom to tell of it is stored",
    arguments: [
      (#""approvers":{"user_ids":["boss"]}"#, "approvers"), (#""timeout_seconds":1"#, "timeout_seconds"),
      (#""on_deny":"stop""#, "on_deny"), (#""approve_once_per_run":true"#, "approve_once_per_run"),
      (#""allowed_scopes":["a"]"#, "allowed_scopes"), (#""tool_names":["a"]"#, "tool_names"),
      (#""should_approve_with_current_user":false"#, "should_approve_with_current_user"),
      (
        #""title":"t","recipients":["a"],"hitl_type":"slack","on_deny":"continue","approvers":{"user_ids":[]},"#
          + #""timeout_seconds":null"#, nil
      ),
    ])
  func approvals(options: String, refused: String?) throws {
    let bench = try Bench()
    let item =
      #"{"item_id":"i","type":"tool","sub_type":"local_tool","targets":[],"settings":{"hitl_options":{\#(options)}}}"#
    let id = try bench.agent("echo", #"{"graph":[\#(item)]}"#)
    let failure = try bench.failure("agents.invoke", try bench.invocation(id))
    guard let refused else {
      // It is a tool that nobody has registered.
      #expect(failure.httpStatus == 400)
      return
    }
    #expect(failure.httpStatus == 501)
    #expect(text(failure.document)?.contains("graph.settings.hitl_options.\(refused) ") == true)
  }

  @Test("an agent that lists a tool which nobody has registered answers 400 naming it")
  func missingTool() throws {
    let bench = try Bench()
    let failure = try bench.failure(
      "agents.invoke", try bench.invocation(try bench.agent("echo", #"{"tools":["add"]}"#)))
    #expect(failure.httpStatus == 400)
    #expect(text(failure.document)?.contains("add") == true)
    // What it says of the tool's arguments is understood.
    let item =
      #"{"item_id":"add","type":"tool","sub_type":"local_tool","targets":[],"settings":{"schemas":{"input":"#
      + #"{"properties":{"n":{"isBlocked":true}}},"output":null}}}"#
    let agent = try bench.agent("echo", #"{"graph":[\#(item)]}"#)
    #expect(try bench.failure("agents.invoke", try bench.invocation(agent)).httpStatus == 400)
  }

  @Test("defaults and empty values ask for nothing: the agent runs")
  func neutral() throws {
    let bench = try Bench()
    #expect(try bench.invoke(try bench.agent("echo", InactiveFieldTests.neutralAgent))["status"]?.string == "completed")
    #expect(try bench.invoke(try bench.agent(), InactiveFieldTests.neutralInvoke)["status"]?.string == "completed")
  }

  @Test("a request with such a field is answered 501 naming it, and leaves no task; no value of it is in the answer")
  func requests() throws {
    let bench = try Bench()
    let id = try bench.agent()
    for (path, value) in InactiveFieldTests.invoke {
      let members =
        path.hasPrefix("input.")
        ? body(path, value).replacing(#"{"input":{"#, with: #"{"input":{"text":"x","#) : body(path, value)
      let failure = try bench.failure("agents.invoke", try bench.invocation(id, members))
      #expect(failure.httpStatus == 501, "\(path)")
      #expect(failure.message.hasPrefix("\(path) "))
      #expect(text(failure.document)?.contains("user-token-1") == false)
    }
    #expect(try bench.call("tasks.list")["total"]?.int64 == 0)
  }

  @Test(
    "forms, kinds and providers that are not served are answered 501, by the name of the field that asks for them",
    arguments: [
      (#"{"output_format":"voice"}"#, "{}", "output_format"), ("{}", #"{"output_format":"voice"}"#, "output_format"),
      (#"{"type":"a2a"}"#, "{}", "type"), (#"{"type":"curl"}"#, "{}", "type"),
      (#"{"model_provider":"anthropic"}"#, "{}", "model_provider"),
      ("{}", #"{"llm_model_provider":"nim"}"#, "llm_model_provider"),
    ])
  func notServed(agent: String, request: String, field: String) throws {
    let bench = try Bench()
    let id = try bench.agent("echo", agent)
    let failure = try bench.failure("agents.invoke", try bench.invocation(id, request))
    #expect(failure.httpStatus == 501)
    #expect(failure.message.hasPrefix("\(field) "))
  }

  @Test("a request may choose what is served over what its agent has that is not")
  func overridden() throws {
    let bench = try Bench()
    let id = try bench.agent("echo", #"{"output_format":"voice"}"#)
    #expect(try bench.invoke(id, #"{"output_format":"text"}"#)["status"]?.string == "completed")
  }

  @Test("a schema that cannot be checked is said so before anything runs")
  func schemas() throws {
    let bench = try Bench()
    let id = try bench.agent()
    let unsupported = try bench.failure(
      "agents.invoke", try bench.invocation(id, #"{"output_schema":{"pattern":"x"}}"#))
    #expect(unsupported.httpStatus == 501)
    #expect(unsupported.message.hasPrefix("output_schema: "))
    let broken = try bench.agent("echo", #"{"output_schema":{"type":"thing"}}"#)
    #expect(try bench.failure("agents.invoke", try bench.invocation(broken)).httpStatus == 400)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 0)
  }
}
