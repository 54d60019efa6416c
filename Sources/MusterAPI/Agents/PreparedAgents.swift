import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Keeps what was read out of the deployed versions of the agents that were invoked last.
///
/// Whoever takes something from here has read the agent's state before, or compares it in the transaction that begins
/// the run, so that what another process changes acts at once. Secrets are not kept: they are read each time, and an agent with headers of its own, which may hold some, is
/// read anew for each run.
final class PreparedAgents: @unchecked Sendable {
  struct Entry: Sendable {
    let state: DeployedState
    /// Whether the agent may be invoked: the status of the working copy acts at once.
    let isActive: Bool
    let agent: PreparedAgent
  }

  /// So many are kept, none of them from a larger document.
  private static let most = 64
  private static let largestDocument = 1 << 16

  private let lock = Lock()
  private var slots: [String: Entry] = [:]
  /// The ids in `slots`, in the order in which they came.
  private var order: [String] = []
  private var next = 0

  /// What is known of an agent in this state.
  func entry(_ id: String, in state: DeployedState) -> Entry? {
    lock.withLock { slots[id].flatMap { $0.state == state ? $0 : nil } }
  }

  /// What was known of an agent last, in whatever state it is now.
  func last(_ id: String) -> Entry? { lock.withLock { slots[id] } }

  /// Reads what invoking needs out of an agent's documents, and keeps it.
  func prepare(_ id: String, _ read: DeployedAgent) -> Entry {
    let entry = Entry(
      state: read.state, isActive: JSON.trusted(read.working)["status"]?.isString("INACTIVE") != true,
      agent: PreparedAgent(document: .trusted(read.document)))
    if read.document.count <= PreparedAgents.largestDocument, entry.agent.configuration.extraHeaders.isEmpty {
      keep(entry, id)
    }
    return entry
  }

  private func keep(_ entry: Entry, _ id: String) {
    lock.withLock {
      if slots.updateValue(entry, forKey: id) != nil { return }
      if order.count < PreparedAgents.most {
        order.append(id)
      } else {
        slots[order[next]] = nil
        order[next] = id
        next = (next + 1) % PreparedAgents.most
      }
    }
  }
}
