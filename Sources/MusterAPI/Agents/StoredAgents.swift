import MusterJSON
import MusterRuns
import MusterStore

/// Finds agents in the store for runs that start other agents.
final class StoredAgents: AgentDirectory {
  private let store: Store
  private let prepared: PreparedAgents

  init(store: Store, prepared: PreparedAgents) {
    self.store = store
    self.prepared = prepared
  }

  func agent(_ id: String, in organization: String) throws(RunError) -> RunnableAgent? {
    let read: DeployedAgent?
    do throws(StoreError) {
      read = try store.deployedAgent(id, in: organization)
    } catch {
      throw .store(error)
    }
    guard let read else { return nil }
    let entry = prepared.entry(id, in: read.state) ?? prepared.prepare(id, read)
    guard entry.isActive else { return nil }
    let document = JSON.trusted(read.document)
    var problem: String?
    do throws(Failure) {
      try entry.agent.check(.literal("{}"))
    } catch {
      problem = error.message
    }
    return RunnableAgent(
      name: document["name"]?.string ?? id, description: document["description"]?.string ?? "",
      version: "\(read.state.version)",
      configuration: entry.agent.configuration.with(secrets: read.secrets.map { JSON.trusted($0) }), problem: problem)
  }
}
