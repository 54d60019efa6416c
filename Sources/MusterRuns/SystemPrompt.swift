import MusterEngine
import MusterJSON

/// Words the system message of a turn.
enum SystemPrompt {
  /// The agent's instructions, what the request adds to them, and what the output has to look like; nil when there is nothing to say.
  static func text(_ agent: AgentConfiguration, request: JSON, format: Beginning.Format, schema: JSON?) -> String? {
    var parts: [String] = []
    add(agent.general, to: &parts)
    addList("Your role:", agent.roles, to: &parts)
    addList("Your goals:", agent.goals, to: &parts)
    add(request["instructions_override"]?.string, to: &parts)
    let expected = request["expected_output"]?.string ?? agent.expectedOutput
    if !expected.isEmpty { parts.append("Expected output: \(expected)") }
    add(request["additional_context"]?.string, to: &parts)
    if format == .json {
      parts.append("Answer with JSON only, without any other text.")
      if let schema {
        parts.append("The JSON must match this JSON Schema: \(String(decoding: schema.bytes, as: UTF8.self))")
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
  }

  private static func add(_ text: String?, to parts: inout [String]) {
    if let text, !text.isEmpty { parts.append(text) }
  }

  private static func addList(_ title: String, _ items: [String], to parts: inout [String]) {
    let lines = items.filter { !$0.isEmpty }.map { "- \($0)" }
    if !lines.isEmpty { parts.append("\(title)\n\(lines.joined(separator: "\n"))") }
  }
}
