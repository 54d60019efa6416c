package import MusterSystem

/// A task as it is stored: the state of its latest turn. Its texts are in the journal.
package struct TaskRow: Sendable {
  /// The task's number in this store: stands for organization and id.
  package let key: Int64
  package let organizationID: String
  package let id: String
  package let agentID: String
  package let createdAt: Timestamp
  package let updatedAt: Timestamp
  package let status: TaskStatus
  package let internalStatus: String?
  package let isManuallyStopped: Bool
  package let startedAt: Timestamp?
  package let finishedAt: Timestamp?
  /// The number of the latest turn, from 1.
  package let turn: Int64
  /// The number of the last journal record.
  package let sequence: Int64
  /// The record that began the latest turn.
  package let firstSequence: Int64
  /// The record that holds the result of the latest turn.
  package let resultSequence: Int64?
  /// The last record that carries the text of a system message.
  package let systemSequence: Int64?
  /// The process that runs it; nil when none does.
  package let owner: Int64?
  /// Counts the changes of hands: a writer that holds an old number has lost the task.
  package let fence: Int64
  package let title: String?
  package let userID: String?
  package let parentID: String?
  package let triggeringAgentID: String?
  package let promptTokens: Int64?
  package let completionTokens: Int64?

  static let columns = """
    t.key, t.organization_id, t.id, t.agent_id, t.created_at, t.updated_at, t.status, t.internal_status,
    t.is_manually_stopped, t.started_at, t.finished_at, t.turn, t.sequence, t.first_sequence, t.result_sequence,
    t.system_sequence, t.owner, t.fence, t.title, t.user_id, t.parent_id, t.triggering_agent_id, t.prompt_tokens,
    t.completion_tokens
    """

  /// The number of `columns`.
  static let columnCount: Int32 = 24

  /// Reads the row that a statement stands on; its first columns are `columns`.
  init(_ row: Statement) {
    key = row.integer(0)
    organizationID = row.text(1)
    id = row.text(2)
    agentID = row.text(3)
    createdAt = Timestamp(microseconds: row.integer(4))
    updatedAt = Timestamp(microseconds: row.integer(5))
    status = TaskStatus(rawValue: row.integer(6)) ?? .error
    internalStatus = row.optionalText(7)
    isManuallyStopped = row.integer(8) != 0
    startedAt = row.optionalInteger(9).map { Timestamp(microseconds: $0) }
    finishedAt = row.optionalInteger(10).map { Timestamp(microseconds: $0) }
    turn = row.integer(11)
    sequence = row.integer(12)
    firstSequence = row.integer(13)
    resultSequence = row.optionalInteger(14)
    systemSequence = row.optionalInteger(15)
    owner = row.optionalInteger(16)
    fence = row.integer(17)
    title = row.optionalText(18)
    userID = row.optionalText(19)
    parentID = row.optionalText(20)
    triggeringAgentID = row.optionalText(21)
    promptTokens = row.optionalInteger(22)
    completionTokens = row.optionalInteger(23)
  }
}
