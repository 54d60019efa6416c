import MusterEngine
import MusterJSON
import MusterRuns

/// Finds what an agent's `tools` and `graph` ask for and this version does not do: anything but tools of the host.
enum InactiveTools {
  /// The field that asks for it.
  static func first(in document: JSON) -> String? {
    for entry in document["tools"]?.elements ?? [] where AgentTool.ofList(entry) == nil { return "tools" }
    for item in document["graph"]?.elements ?? [] {
      let isTool = AgentTool.ofGraph(item) != nil
      if !isTool, AgentMember.ofGraph(item) == nil { return "graph" }
      // Of tools it would say that one may be called only after another one has succeeded.
      if isTool, item["targets"]?.isEmpty == false { return "graph.targets" }
      if item["llm_settings"]?.isEmpty == false { return "graph.llm_settings" }
      for member in item["settings"]?.members ?? [] where !member.value.isEmpty {
        if member.key == "hitl_options", let option = inactiveOption(member.value) {
          return "graph.settings.hitl_options.\(option)"
        }
        if !isActive(member.key, member.value, isTool: isTool) { return "graph.settings.\(member.key)" }
      }
    }
    return nil
  }

  /// The first of the options of approvals that asks for more than that each call waits for a decision; whom to tell of that,
  /// and where, is stored and nobody is told.
  private static func inactiveOption(_ options: JSON) -> String? {
    for member in options.members where !member.value.isEmpty {
      switch member.key {
      case "title", "description", "enabled", "hitl_type", "recipients", "slack_app", "channels": continue
      case "approvers" where member.value.kind == .object && member.value.members.allSatisfy({ $0.value.isEmpty }):
        continue
      case "on_deny" where member.value.isString("continue"): continue
      case "should_approve_with_current_user" where member.value.bool == true: continue
      case "approve_once_per_run" where member.value.bool == false: continue
      default: return member.key
      }
    }
    return nil
  }

  private static func isActive(_ key: String, _ value: JSON, isTool: Bool) -> Bool {
    switch key {
    case "description", "hitl_options": return true
    case "schemas": return isTool && ToolSchemas.isReadable(value)
    default: return value.bool == false || value.isNull
    }
  }
}
