import MusterAPI

/// The routes of the official Python client, which does not speak `/v1`: `/agents/list` and its like, bare arrays for lists.
///
/// Each begins at `/`, at `/{organization_id}/` and at `/agent-controller/{organization_id}/`, as the client's configuration has
/// it; without an organization it writes `None`. Empty segments are not counted, and nothing is redirected.
enum ClientRoutes {
  /// Names of parameters that are no operation's.
  static let organization = "organization_id"
  static let agentOrTask = "agent_or_task_id"
  /// What the client writes for an organization that it was not told.
  static let noOrganization = "None"

  static let prefixes = ["", "/{\(organization)}", "/agent-controller/{\(organization)}"]

  private static let filters = ["parent_task_id", "triggering_agent_id", "status", "internal_status"]

  /// The routes that do something.
  static let active: [ClientRoute] = [
    ClientRoute("GET", "/agents/list", "agents.list", .list(filters: [])),
    ClientRoute("GET", "/agents/{agent_id}", "agents.get", .agent),
    ClientRoute("POST", "/agent-execution/{\(agentOrTask)}", "agents.invoke", .run),
    ClientRoute("DELETE", "/agent-execution/{\(agentOrTask)}", "tasks.stop"),
    ClientRoute("GET", "/agent-execution/{task_id}/status", "tasks.get"),
    ClientRoute("GET", "/agent-execution/{task_id}/events", "tasks.events"),
    ClientRoute("GET", "/activity/{agent_id}/{task_id}", "tasks.activity"),
    ClientRoute(
      "GET", "/agent-execution/executions/history/{agent_id}", "agents.tasks", .list(filters: ["user_id"] + filters)),
    ClientRoute(
      "GET", "/agent-execution/executions/history/user/{user_id}", "tasks.list", .list(filters: filters)),
  ].compactMap { $0 }

  /// The routes that are documented, and do nothing yet.
  static let inactive: [(method: String, path: String)] = [
    ("PATCH", "/agents/{agent_id}/sync_local_tools"),
    ("GET", "/agents/{agent_id}/db"),
    ("GET", "/agents/{agent_id}/llm_preflight"),
    ("GET", "/agents/{agent_id}/streaming_spec"),
    ("POST", "/agents/{agent_id}/custom-llm-endpoint/{task_id}"),
    ("POST", "/agents/{agent_id}/llm-gateway-route/{task_id}"),
    ("POST", "/agents/{agent_id}/operations/{tool_id}"),
    ("POST", "/agents/{agent_id}/tool-approvals/check"),
    ("GET", "/agents/{agent_id}/tool-approvals/{request_id}"),
    ("PATCH", "/agent-execution/{task_id}/update"),
    ("POST", "/agent-execution/{task_id}/events/push"),
    ("POST", "/agent-execution/{agent_id}/report_task"),
    ("POST", "/agents-metrics/{agent_id}/execution"),
    ("GET", "/events/{agent_or_worker_id}"),
    ("POST", "/events/{agent_or_worker_id}"),
    ("GET", "/knowledge_bases"),
    ("POST", "/knowledge_bases/create"),
    ("GET", "/knowledge_bases/{knowledge_base_id}"),
    ("POST", "/knowledge_bases/{knowledge_base_id}"),
    ("DELETE", "/knowledge_bases/{knowledge_base_id}"),
    ("GET", "/knowledge_bases/{knowledge_base_id}/details"),
    ("GET", "/knowledge_bases/{knowledge_base_id}/list"),
    ("DELETE", "/knowledge_bases/{knowledge_base_id}/erase"),
    ("GET", "/tools/{tool_id}"),
    ("POST", "/tools/{tool_id}"),
    ("POST", "/tools/{agent_id}/dynamic-prompt"),
    ("POST", "/tools/{agent_id}/channel-presence"),
    ("POST", "/mcp_auth/{agent_id}/{user_id}/get_token"),
    ("GET", "/memories/{agent_id}"),
    ("POST", "/memories/{agent_id}"),
    ("POST", "/workspace/{agent_id}/tools/{tool}"),
    ("GET", "/metadata/default_llm_extra_headers"),
    ("POST", "/metadata/api_key_allowance"),
    ("POST", "/summarizer/run"),
    ("POST", "/media/extract"),
  ]

  static let all = Routes(
    prefixes.flatMap { prefix -> [(method: String, path: String, target: Routes.Target)] in
      active.map { ($0.method, prefix + $0.path, .client($0)) }
        + inactive.map { ($0.method, prefix + $0.path, .inactive("\($0.method) \($0.path)")) }
    })

  /// Refuses a path that names an organization of somebody else.
  static func check(_ match: Routes.Match, _ caller: Caller) throws(Failure) {
    for parameter in match.parameters where parameter.name == organization {
      guard parameter.value == noOrganization || parameter.value == caller.organizationID else {
        throw .rest(403, "API key belongs to another organization")
      }
    }
  }
}
