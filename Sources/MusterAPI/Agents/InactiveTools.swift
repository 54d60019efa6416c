import MusterEngine
import MusterJSON
import MusterRuns

/// Finds what an agent's `tools` and `graph` ask for and this version does not do: anything but tools of the host.
enum InactiveTools {
  /// The field that asks for it.
  static func first(in document: JSON) -> String? {
    for entry in document["tools"]?.elements ?? [] where AgentTool.ofList(entry) == nil { return "tools" }
    for item in document["graph"]?.elements ?? [] {
      if AgentTool.ofGraph(item) == nil, AgentMember.ofGraph(item) == nil { return "graph" }
      if item["llm_settings"]?.isEmpty == false { return "graph.llm_settings" }
      for member in item["settings"]?.members ?? [] where !member.value.isEmpty && !isActive(member.key, member.value) {
        return "graph.settings.\(member.key)"
      }
    }
    return nil
  }

  private static func isActive(_ key: String, _ value: JSON) -> Bool {
    switch key {
    case "description", "hitl_options": return true
    case "schemas": return ToolSchemas.isReadable(value)
    default: return value.bool == false || value.isNull
    }
  }
}
