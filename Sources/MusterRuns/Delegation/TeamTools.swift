import MusterEngine
import MusterJSON
import MusterSystem

/// Makes tools of the agents that an agent leads.
struct TeamTools {
  /// The most bytes of a name that every provider takes.
  private static let longestName = 64

  let directory: any AgentDirectory
  let organization: String

  /// The declarations behind `tools`, and what the turn knows of the team.
  func team(
    of plan: TeamPlan, besides tools: [ToolDeclaration]
  ) throws(RunError) -> (tools: [ToolDeclaration], team: Team) {
    var all = tools
    guard let ordered = plan.kind == .sequence ? AgentMember.sequence(plan.members) : plan.members else {
      throw .notRunnable("the graph names no order of its agents")
    }
    var steps: [String] = []
    for member in ordered {
      guard let agent = try directory.agent(member.agentID, in: organization) else {
        throw .notRunnable("the agent \(member.agentID) of the graph is not there, or is not active")
      }
      if let problem = agent.problem { throw .notRunnable("the agent \(member.agentID) of the graph: \(problem)") }
      let name = TeamTools.name(member.name ?? agent.name, besides: all)
      all.append(declaration(name, member, agent))
      steps.append(name)
    }
    let isSequence = plan.kind == .sequence
    let team = Team(
      kind: plan.kind, memory: plan.memory, end: plan.end, isContinuous: plan.isContinuous,
      steps: isSequence ? steps : [], key: isSequence ? Identifier.make() : nil)
    return (all, team)
  }

  private func declaration(_ name: String, _ member: AgentMember, _ agent: RunnableAgent) -> ToolDeclaration {
    let told = member.description ?? agent.description
    return ToolDeclaration(
      name: name,
      description:
        "Asks the agent \(member.name ?? agent.name)\(told.isEmpty ? "" : ": \(told)"). It answers with its result.",
      parameters: .literal(
        #"{"type":"object","properties":{"task":{"type":"string","minLength":1,"description":"What the agent has to do, with all that it needs to know."}},"required":["task"]}"#
      ), effect: .idempotent, hasProbe: false, approval: member.approval, agent: member.agentID)
  }

  /// A name that providers take and no other tool has.
  static func name(_ name: String, besides tools: [ToolDeclaration]) -> String {
    var bytes: [UInt8] = []
    for byte in name.utf8.prefix(longestName &- 4) {
      let isWord =
        (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
        || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || byte == UInt8(ascii: "-")
      if isWord { bytes.append(byte) } else if bytes.last != UInt8(ascii: "_") { bytes.append(UInt8(ascii: "_")) }
    }
    while bytes.last == UInt8(ascii: "_") { bytes.removeLast() }
    let base = bytes.isEmpty || bytes == [UInt8(ascii: "_")] ? "agent" : String(decoding: bytes, as: UTF8.self)
    var free = base
    var number = 1
    while tools.contains(where: { $0.name == free }) {
      number &+= 1
      free = "\(base)_\(number)"
    }
    return free
  }
}
