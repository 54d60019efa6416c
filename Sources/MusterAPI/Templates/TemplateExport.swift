import MusterJSON
import MusterStore

/// Collects the definitions of an agent and of all agents that it refers to.
struct TemplateExport {
  /// So many agents one template may have, and so deep they may refer to one another.
  static let mostAgents = 100
  static let deepest = 16

  private let call: OperationCall
  private let withKnowledgeBases: Bool
  /// The agents that are in the template, each at the first place that refers to it: circles end here.
  private var included: Set<String> = []

  init(_ call: OperationCall, withKnowledgeBases: Bool) {
    self.call = call
    self.withKnowledgeBases = withKnowledgeBases
  }

  /// The definition of an agent with those of its sub-agents inside.
  mutating func definition(_ row: AgentRow, depth: Int = 1) throws(Failure) -> JSON {
    included.insert(row.id)
    guard included.count <= TemplateExport.mostAgents else {
      throw .api(400, "a template can have no more than \(TemplateExport.mostAgents) agents")
    }
    guard depth <= TemplateExport.deepest else {
      throw .api(
        400, "a template's agents cannot refer to one another through more than \(TemplateExport.deepest) levels")
    }
    let document = JSON.trusted(row.document)
    if withKnowledgeBases, document["knowledge_bases"]?.isEmpty == false {
      throw .api(501, "with_knowledge_bases: this version of Muster has no documents to put into a template")
    }
    var subAgents: [JSON] = []
    var lost: Set<String> = []
    for id in TemplateGraph.agents(in: document) where !included.contains(id) {
      if let found = try find(id) {
        subAgents.append(try definition(found, depth: depth + 1))
      } else {
        lost.insert(id)
      }
    }
    return AgentDefinition.make(document, subAgents: subAgents, lost: lost)
  }

  /// A sub-agent; nil when it is not there any more, or is not the organization's.
  private func find(_ id: String) throws(Failure) -> AgentRow? {
    let lookup = try call.store { () throws(StoreError) in try call.plane.store.agent(id, in: call.organizationID) }
    guard case .found(let row) = lookup else { return nil }
    guard call.caller.mayUse(agent: id) else { throw .api(403, "API key not allowed for a sub-agent of this agent") }
    return row
  }
}
