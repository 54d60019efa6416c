import MusterJSON
import Testing

@testable import MusterAPI

/// What a key of another organization, or one for other agents, gets from an operation. Every operation has an entry:
/// whoever adds one says here how it keeps what belongs to others.
enum Coverage {
  /// Refused with 403 when its arguments name something of others.
  case refused(String)
  /// A list that leaves out what belongs to others.
  case filtered
  /// Makes something of the caller's own; nothing of others is named.
  case own(String)
  /// Answers everybody alike.
  case common(String)
  /// Removes what is the caller's own; not for callers who are limited to some agents.
  case removing(String)
  /// For the host alone.
  case host

  /// `AGENT`, `TASK`, `KEY`, `TEMPLATE` and `ORGANIZATION` stand for what belongs to others.
  static let all: [String: Coverage] = [
    "agents.list": .filtered,
    "agents.list_full": .filtered,
    "agents.get": .refused(#"{"agent_id":"AGENT"}"#),
    "agents.create": .own(#"{"body":{"name":"mine","organization_id":"ORGANIZATION"}}"#),
    "agents.update": .refused(#"{"agent_id":"AGENT","deploy":true,"body":{"name":"taken"}}"#),
    "agents.deploy": .refused(#"{"agent_id":"AGENT"}"#),
    "agents.delete": .refused(#"{"agent_id":"AGENT"}"#),
    "agents.invoke": .refused(#"{"agent_id":"AGENT","body":{"input":{"text":"hello"}}}"#),
    "agents.invoke_async": .refused(#"{"agent_id":"AGENT","body":{"input":{"text":"hello"}}}"#),
    "agents.invoke_stream": .refused(#"{"agent_id":"AGENT","body":{"input":{"text":"hello"}}}"#),
    "agents.tasks": .refused(#"{"agent_id":"AGENT"}"#),
    "agents.export": .refused(#"{"agent_id":"AGENT","body":{"name":"taken"}}"#),
    // Whoever has a template's id may use it.
    "agents.import": .own(#"{"template_id":"TEMPLATE","body":{"name":"mine"}}"#),
    "llm_providers.list": .common("{}"),
    "llm_providers.models": .common(#"{"provider_identifier":"openai"}"#),
    "tasks.list": .filtered,
    "tasks.get": .refused(#"{"task_id":"TASK"}"#),
    "tasks.stop": .refused(#"{"task_id":"TASK"}"#),
    "tasks.approve": .refused(#"{"task_id":"TASK","body":{}}"#),
    "tasks.reject": .refused(#"{"task_id":"TASK","body":{}}"#),
    "tasks.delete": .refused(#"{"task_id":"TASK"}"#),
    "tasks.thread": .refused(#"{"task_id":"TASK"}"#),
    "tasks.thread_full": .refused(#"{"task_id":"TASK"}"#),
    "tasks.events": .refused(#"{"task_id":"TASK"}"#),
    "tasks.activity": .refused(#"{"task_id":"TASK"}"#),
    "tasks.fork": .refused(#"{"task_id":"TASK","body":{"event":1}}"#),
    "tasks.replay": .refused(#"{"task_id":"TASK"}"#),
    "tasks.prune": .removing(#"{"body":{"before":"2999-01-01T00:00:00Z"}}"#),
    "keys.list": .filtered,
    "keys.get": .refused(#"{"key_id":"KEY"}"#),
    "keys.create": .own(#"{"body":{"name":"mine"}}"#),
    "keys.update": .refused(#"{"key_id":"KEY","body":{"name":"taken","can_manage_keys":true}}"#),
    "keys.revoke": .refused(#"{"key_id":"KEY"}"#),
  ]

  /// The entry of an operation; records an issue when there is none.
  static func of(_ operation: Operation) -> Coverage? {
    if operation.access == .host { return .host }
    if let entry = all[operation.name] { return entry }
    Issue.record("\(operation.name) does not say in Coverage how it keeps what belongs to others")
    return nil
  }
}
