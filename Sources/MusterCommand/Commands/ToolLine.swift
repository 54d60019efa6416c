/// The line that tells of a tool or an agent that a task calls, or of what came of it.
enum ToolLine {
  /// A line has room for the beginning of what models and tools say.
  private static let limit = 160

  /// Nil for an event that tells of neither.
  static func of(_ type: String, _ data: Value) -> String? {
    let name = data.string("tool_name") ?? ""
    switch type {
    case "tool_call_request": return "[\(name) \(short(data, "payload"))]"
    case "tool_call_result":
      return "[\(name)\(data.flag("is_error") ? " failed" : ""): \(short(data, "result"))]"
    case "sub_agent_trigger": return "[agent \(data.string("agent_id") ?? ""): \(short(data, "query"))]"
    default: return nil
    }
  }

  private static func short(_ data: Value, _ key: String) -> String {
    let text = data.string(key) ?? data.member(key)?.text ?? ""
    let start = text.prefix(limit)
    return start.endIndex < text.endIndex ? start + "…" : text
  }
}
