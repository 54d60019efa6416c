import Foundation
import MusterJSON
import MusterStore
import MusterSystem

@testable import MusterRuns

/// The agents that leaders of the tests lead.
final class TestDirectory: AgentDirectory, @unchecked Sendable {
  private let lock = NSLock()
  private var agents: [String: (document: JSON, problem: String?)] = [:]

  func set(_ id: String, _ document: JSON, problem: String? = nil) {
    lock.withLock { agents[id] = (document, problem) }
  }

  func agent(_ id: String, in organization: String) throws(RunError) -> RunnableAgent? {
    guard let found = lock.withLock({ agents[id] }) else { return nil }
    return RunnableAgent(
      name: found.document["name"]?.string ?? id, description: found.document["description"]?.string ?? "",
      version: "1", configuration: AgentConfiguration(document: found.document, secrets: nil), problem: found.problem)
  }
}

extension Bench {
  /// Makes agents that can be led, with these members of their documents.
  @discardableResult
  func lead(_ agents: [(id: String, document: String)], isNew: Bool = true) throws -> TestDirectory {
    let directory = TestDirectory()
    for agent in agents {
      let document = self.document.setting([("graph", .literal("[]")), ("name", .string(agent.id))]).setting(
        try json(agent.document).members.map { ($0.key, $0.value) })
      directory.set(agent.id, document)
      let now = Timestamp.now()
      if isNew {
        try store.insertAgent(
          AgentRow(
            organizationID: organization, id: agent.id, revision: 1, version: 1, createdAt: now, updatedAt: now,
            document: Array(document.bytes), secrets: nil), durable: false)
      }
    }
    driver.directory = directory
    return directory
  }

  /// The sub-tasks of a task, oldest first.
  func subtasks(of id: String = "t1") throws -> [TaskRow] { try store.subtasks(of: id, in: organization) }

  func text(_ id: String) throws -> String? { try driver.snapshot(id, in: organization)?.text }
}
