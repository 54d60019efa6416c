package import MusterHTTP
package import MusterJSON

/// What of an agent's document matters to a run.
package struct AgentConfiguration: Sendable {
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

  /// Reads a stored document; `secrets` are the values that are kept apart from it, by their places.
  package init(document: JSON, secrets: JSON?) {
    provider = document["model_provider"]?.string ?? ""
    model = document["model_name"]?.string ?? ""
    base = document["llm_api_base"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    key = secrets?["/llm_credentials/value"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    extraHeaders = (document["llm_extra_headers"]?.members ?? []).compactMap { member in
      member.value.string.map { HTTPHeader(member.key, $0) }
    }
    reasoningEffort = document["llm_reasoning_effort"]?.string
    outputFormat = document["output_format"]?.string ?? "markdown"
    outputSchema = document["output_schema"].flatMap { $0.kind == .object && !$0.isEmpty ? $0 : nil }
    expectedOutput = document["expected_output"]?.string ?? ""
    let instructions = document["instructions"]
    general = instructions?["general"]?.string ?? ""
    roles = (instructions?["role"]?.elements ?? []).compactMap { $0.string }
    goals = (instructions?["goal"]?.elements ?? []).compactMap { $0.string }
    sessionStorage = document["agno_settings"]?["session_storage"]?.bool ?? true
    historyRuns = document["agno_settings"]?["num_history_runs"]?.int64 ?? 3
  }
}
