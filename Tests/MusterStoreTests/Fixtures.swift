import MusterSystem

@testable import MusterStore

/// An agent as it is first stored.
func agent(_ id: String, in organization: String, secrets: String? = nil) -> AgentRow {
  AgentRow(
    organizationID: organization, id: id, revision: 1, version: 1, createdAt: Timestamp(microseconds: 1),
    updatedAt: Timestamp(microseconds: 2), document: Array(#"{"id":"\#(id)"}"#.utf8),
    secrets: secrets.map { Array($0.utf8) })
}

/// A journal record with a text of its own.
func entry(_ text: String = "{}", kind: Int64 = 1, role: JournalRecord.Role? = nil, at time: Int64 = 10) -> JournalEntry
{
  JournalEntry(
    kind: kind, format: 1, time: Timestamp(microseconds: time), role: role, body: Array(text.utf8),
    commands: Array("[]".utf8))
}

/// The first turn of a task, or the next one after a task.
func start(
  _ id: String, in organization: String, of agent: String = "a1", after task: TaskRow? = nil, title: String? = nil,
  user: String? = nil, parent: String? = nil, triggeringAgent: String? = nil, carriesSystem: Bool = false,
  entry first: JournalEntry = entry(role: .user)
) -> TurnStart {
  TurnStart(
    organizationID: organization, taskID: id, agentID: agent, title: title, userID: user, parentID: parent,
    triggeringAgentID: triggeringAgent, carriesSystemMessage: carriesSystem, entry: first,
    afterSequence: task?.sequence ?? 0)
}

func end(
  _ status: TaskStatus = .completed, internalStatus: String? = nil, isManuallyStopped: Bool = false,
  tokens: Int64? = nil
) -> TurnEnd {
  TurnEnd(
    status: status, internalStatus: internalStatus, isManuallyStopped: isManuallyStopped, promptTokens: tokens,
    completionTokens: tokens)
}

/// A test failed to set up what it needs.
struct Unexpected: Error {}

extension Store {
  /// Adds an agent unless it is there.
  func ensureAgent(_ id: String, in organization: String) throws {
    if case .found = try self.agent(id, in: organization) { return }
    do {
      try insertAgent(MusterStoreTests.agent(id, in: organization), durable: false)
    } catch {
      // Another thread of the test may have been quicker.
      guard case .found = try self.agent(id, in: organization) else { throw error }
    }
  }

  /// Begins a turn that must be allowed; adds the agent unless it is there.
  func begin(_ start: TurnStart) throws -> TaskRow {
    try ensureAgent(start.agentID, in: start.organizationID)
    guard case .begun(let task, _) = try beginTurn(start, durable: false) else { throw Unexpected() }
    return task
  }

  /// A turn from its beginning to its end.
  func run(_ start: TurnStart, end turnEnd: TurnEnd = end(), time: Int64 = 20) throws -> TaskRow {
    let task = try begin(start)
    guard
      let ended = try endTurn(of: task, with: entry(role: .assistant, at: time), turnEnd, durable: false)?.task
    else {
      throw Unexpected()
    }
    return ended
  }

  func found(_ id: String, in organization: String? = nil) throws -> TaskRow {
    guard case .found(let row) = try task(id, in: organization ?? firstOrganizationID) else { throw Unexpected() }
    return row
  }

  /// The counts of a list that are not right; the table itself is the truth.
  func wrongCounts() throws -> Int64 {
    try number(
      """
      WITH truth AS (
        SELECT organization_id, 1 AS list, position >> 8 AS block, count(*) AS rows FROM agents GROUP BY 1, 3
        UNION ALL SELECT organization_id, 1, -1, count(*) FROM agents GROUP BY 1
        UNION ALL SELECT organization_id, 2, position >> 8, count(*) FROM tasks GROUP BY 1, 3
        UNION ALL SELECT organization_id, 2, -1, count(*) FROM tasks GROUP BY 1
      )
      SELECT (SELECT count(*) FROM (SELECT * FROM truth EXCEPT SELECT * FROM counts))
        + (SELECT count(*) FROM (SELECT * FROM counts WHERE rows <> 0 OR block <> -1 EXCEPT SELECT * FROM truth))
      """)
  }
}
