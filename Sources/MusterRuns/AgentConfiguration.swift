package import MusterHTTP
package import MusterJSON

/// What of an agent's document matters to a run. One object, which the agent's runs share; only those with a credential of
/// its own have a copy.
package final class AgentConfiguration: Sendable {
  package let provider: String
  package let model: String
  package let base: String?
  /// The agent's own credential.
  package let key: String?
  package let extraHeaders: [HTTPHeader]
  package let reasoningEffort: String?
  package let outputFormat: String
  package let outputSchema: JSON?
  package let expectedOutput: String
  package let general: String
  package let roles: [String]
  package let goals: [String]
  /// Whether earlier turns of a thread are shown to the model, and how many.
  package let sessionStorage: Bool
  package let historyRuns: Int64
  /// How many calls of tools of those turns the model is shown, the last ones; 0: all.
  package let historyToolCalls: Int64
  /// The tools of the host that it lists.
  package let tools: [AgentTool]
  /// How many calls of tools a run makes; 0: any number.
  package let toolCallLimit: Int64
  /// The agents that it leads; nil: none.
  package let team: TeamPlan?

  /// Reads a stored document; `secrets` are the values that are kept apart from it, by their places.
  package init(document: JSON, secrets: JSON?) {
    var values: [String: JSON] = [:]
    for member in document.members { values[member.key] = member.value }
    provider = values["model_provider"]?.string ?? ""
    model = values["model_name"]?.string ?? ""
    base = values["llm_api_base"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    key = AgentConfiguration.key(in: secrets)
    extraHeaders = (values["llm_extra_headers"]?.members ?? []).compactMap { member in
      member.value.string.map { HTTPHeader(member.key, $0) }
    }
    reasoningEffort = values["llm_reasoning_effort"]?.string
    outputFormat = values["output_format"]?.string ?? "markdown"
    // Detached: whoever keeps this does not keep the document.
    outputSchema = values["output_schema"].flatMap { $0.kind == .object && !$0.isEmpty ? $0.detached : nil }
    expectedOutput = values["expected_output"]?.string ?? ""
    let instructions = values["instructions"]
    general = instructions?["general"]?.string ?? ""
    roles = (instructions?["role"]?.elements ?? []).compactMap { $0.string }
    goals = (instructions?["goal"]?.elements ?? []).compactMap { $0.string }
    let settings = values["agno_settings"]
    sessionStorage = settings?["session_storage"]?.bool ?? true
    historyRuns = settings?["num_history_runs"]?.int64 ?? 3
    historyToolCalls = settings?["max_tool_calls_from_history"]?.int64 ?? 0
    tools = AgentTool.listed(tools: values["tools"], graph: values["graph"])
    toolCallLimit = settings?["tool_call_limit"]?.int64 ?? 0
    team = TeamPlan(values)
  }

  private static func key(in secrets: JSON?) -> String? {
    secrets?["/llm_credentials/value"]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The same with the credential that these secrets hold.
  package func with(secrets: JSON?) -> AgentConfiguration {
    if secrets == nil, key == nil { return self }
    return AgentConfiguration(self, key: AgentConfiguration.key(in: secrets))
  }

  /// The same with a text in place of its instructions: role, goal and what else it is told.
  package func with(instructions: String) -> AgentConfiguration {
    AgentConfiguration(self, key: key, instructions: instructions)
  }

  private init(_ other: AgentConfiguration, key: String?, instructions: String? = nil) {
    provider = other.provider
    model = other.model
    base = other.base
    self.key = key
    extraHeaders = other.extraHeaders
    reasoningEffort = other.reasoningEffort
    outputFormat = other.outputFormat
    outputSchema = other.outputSchema
    expectedOutput = other.expectedOutput
    general = instructions ?? other.general
    roles = instructions == nil ? other.roles : []
    goals = instructions == nil ? other.goals : []
    sessionStorage = other.sessionStorage
    historyRuns = other.historyRuns
    historyToolCalls = other.historyToolCalls
    tools = other.tools
    toolCallLimit = other.toolCallLimit
    team = other.team
  }
}
