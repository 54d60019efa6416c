import MusterEngine
import MusterJSON

/// What an agent's document says of the agents that it leads.
package struct TeamPlan: Sendable {
  package let members: [AgentMember]
  let kind: Team.Kind
  let memory: Team.Memory
  let end: Team.End
  let isContinuous: Bool

  /// Nil when it leads none.
  init?(_ values: [String: JSON]) {
    members = AgentMember.listed(graph: values["graph"])
    if members.isEmpty { return nil }
    kind = values["delegation_type"]?.string.flatMap { Team.Kind(rawValue: $0) } ?? .router
    memory = values["delegation_memory_strategy"]?.string.flatMap { Team.Memory(rawValue: $0) } ?? .summarization
    end = values["delegation_end_strategy"]?.string.flatMap { Team.End(rawValue: $0) } ?? .returnToStart
    isContinuous = values["sub_agents_continuous_thread"]?.bool ?? true
  }

  /// Whether there is an order for a sequence, if it is one.
  package var hasOrder: Bool { kind == .router || AgentMember.sequence(members) != nil }
}
