package import MusterJSON

/// An agent that another one leads, as the leader's graph names it.
package struct AgentMember: Sendable, Equatable {
  package let agentID: String
  /// In place of the agent's own name and description.
  let name: String?
  let description: String?
  /// What a person is told who has to approve each call, an object with `title` and `description`; nil: none has to.
  let approval: JSON?
  /// What it is called in the graph, and what may follow it.
  let node: String
  let targets: [String]

  package static func == (one: AgentMember, other: AgentMember) -> Bool {
    one.agentID == other.agentID && one.name == other.name && one.description == other.description
      && one.node == other.node && one.targets == other.targets
      && one.approval.map { Array($0.bytes) } == other.approval.map { Array($0.bytes) }
  }

  /// The agents in a graph, in its order.
  static func listed(graph: JSON?) -> [AgentMember] { (graph?.elements ?? []).compactMap { ofGraph($0) } }

  /// An item of the graph, if it is an agent.
  package static func ofGraph(_ item: JSON) -> AgentMember? {
    guard item["type"]?.isString("agent") == true, let agent = item["item_id"]?.string, !agent.isEmpty else {
      return nil
    }
    func text(_ value: JSON?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
    return AgentMember(
      agentID: agent, name: text(item["name"]), description: text(item["settings"]?["description"]),
      approval: AgentTool.approval(in: item), node: text(item["id"]) ?? agent,
      targets: (item["targets"]?.elements ?? []).compactMap { $0.string })
  }

  /// The order in which agents work one after another: from the one that is nobody's target on; nil when the targets give
  /// none.
  static func sequence(_ members: [AgentMember]) -> [AgentMember]? {
    if members.count <= 1 { return members }
    let nodes = members.map { $0.node }
    let followers = members.flatMap { member in member.targets.filter { nodes.contains($0) } }
    // Without any targets they stand in the order of the list.
    if followers.isEmpty { return members }
    let roots = members.filter { !followers.contains($0.node) }
    guard roots.count == 1, var next = roots.first else { return nil }
    var ordered = [next]
    while ordered.count < members.count {
      let targets = next.targets.filter { nodes.contains($0) }
      guard targets.count == 1, let follower = members.first(where: { $0.node == targets[0] }),
        !ordered.contains(where: { $0.node == follower.node })
      else { return nil }
      ordered.append(follower)
      next = follower
    }
    return ordered
  }
}
