import MusterEngine
import MusterJSON
import MusterSystem
import MusterTools

/// Finds the tools of agents among those that the host has registered.
final class ToolChoice: @unchecked Sendable {
  private let registry: ToolRegistry
  /// Whether agents have all tools, whatever they list.
  private let offersAll: Bool
  private let lock = Lock()
  /// The last list that was made, and of what: agents that are run again and again share it.
  private var last: (agent: [AgentTool], specs: [ToolSpec], list: ToolList)?

  init(registry: ToolRegistry, offersAll: Bool) {
    self.registry = registry
    self.offersAll = offersAll
  }

  /// Where the agents are found that others lead.
  var directory: (any AgentDirectory)?

  /// The tools of an agent, with those that stand for the agents that it leads; nil when it has none.
  func list(
    of agent: AgentConfiguration, in organization: String
  ) throws(RunError) -> (list: ToolList?, team: Team?) {
    guard let plan = agent.team, let directory else { return (try list(of: agent), nil) }
    let own = try list(of: agent)?.tools ?? []
    let made = try TeamTools(directory: directory, organization: organization).team(of: plan, besides: own)
    return (ToolList(made.tools), made.team)
  }

  /// The tools of the host that an agent has.
  private func list(of agent: AgentConfiguration) throws(RunError) -> ToolList? {
    if agent.tools.isEmpty, !offersAll { return nil }
    let specs = try specs(of: agent)
    if specs.isEmpty { return nil }
    return lock.withLock {
      if let last, last.agent == agent.tools, last.specs.elementsEqual(specs, by: { $0 === $1 }) { return last.list }
      let list = ToolList(specs.map { declaration($0, agent) })
      last = (agent.tools, specs, list)
      return list
    }
  }

  private func specs(of agent: AgentConfiguration) throws(RunError) -> [ToolSpec] {
    if offersAll { return registry.specs() }
    var specs: [ToolSpec] = []
    for tool in agent.tools {
      guard let spec = registry.spec(tool.name) else { throw .toolMissing(tool.name) }
      if !specs.contains(where: { $0 === spec }) { specs.append(spec) }
    }
    return specs
  }

  private func declaration(_ spec: ToolSpec, _ agent: AgentConfiguration) -> ToolDeclaration {
    let listed = agent.tools.first { $0.name == spec.name }
    return ToolDeclaration(
      name: spec.name, description: listed?.description ?? spec.description,
      parameters: listed?.schemas?.shown(spec.parameters) ?? spec.parameters,
      // Its compiled form is of what it takes, not of what the model is shown.
      schema: listed?.schemas == nil ? spec.schema : nil,
      effect: spec.isReadOnly ? .none : spec.isIdempotent ? .idempotent : .once, hasProbe: spec.hasProbe,
      approval: listed?.approval, schemas: listed?.schemas)
  }
}
