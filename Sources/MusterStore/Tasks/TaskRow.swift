package import MusterSystem

/// A task as it is stored: the state of its latest turn. Its texts are in the journal.
///
/// One object that all who know the task share. It never changes once its maker has given it away: what turns make of it
/// is a copy.
package final class TaskRow: @unchecked Sendable {
  /// The task's number in this store: stands for organization and id.
  package internal(set) var key: Int64
  package internal(set) var organizationID: String
  package internal(set) var id: String
  package internal(set) var agentID: String
  package internal(set) var createdAt: Timestamp
  package internal(set) var updatedAt: Timestamp
  package internal(set) var status: TaskStatus
  package internal(set) var internalStatus: String?
  package internal(set) var isManuallyStopped: Bool
  package internal(set) var startedAt: Timestamp?
  package internal(set) var finishedAt: Timestamp?
  /// The number of the latest turn, from 1.
  package internal(set) var turn: Int64
  /// The number of the last journal record.
  package internal(set) var sequence: Int64
  /// The record that began the latest turn.
  package internal(set) var firstSequence: Int64
  /// The record that holds the result of the latest turn.
  package internal(set) var resultSequence: Int64?
  /// The last record that carries the text of a system message.
  package internal(set) var systemSequence: Int64?
  /// The process that runs it; nil when none does.
  package internal(set) var owner: Int64?
  /// Counts the changes of hands: a writer that holds an old number has lost the task.
  package internal(set) var fence: Int64
  package internal(set) var title: String?
  package internal(set) var userID: String?
  package internal(set) var parentID: String?
  package internal(set) var triggeringAgentID: String?
  package internal(set) var promptTokens: Int64?
  package internal(set) var completionTokens: Int64?
  /// The task that it goes on from, and the last record that it has of that.
  package internal(set) var forkedFrom: String?
  package internal(set) var forkedAt: Int64?
  /// Its place in lists.
  var position: Int64

  static let columns = """
    t.key, t.organization_id, t.id, t.agent_id, t.created_at, t.updated_at, t.status, t.internal_status,
    t.is_manually_stopped, t.started_at, t.finished_at, t.turn, t.sequence, t.first_sequence, t.result_sequence,
    t.system_sequence, t.owner, t.fence, t.title, t.user_id, t.parent_id, t.triggering_agent_id, t.prompt_tokens,
    t.completion_tokens, t.position, t.forked_from, t.forked_at
    """

  /// The number of `columns`.
  static let columnCount: Int32 = 27

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
    position = row.integer(24)
    forkedFrom = row.optionalText(25)
    forkedAt = row.optionalInteger(26)
  }

  /// A task with its first turn. Its key is known once it is stored.
  init(_ start: TurnStart, at position: Int64, owner: Int64) {
    let now = start.entry.time
    key = 0
    organizationID = start.organizationID
    id = start.taskID
    agentID = start.agentID
    createdAt = now
    updatedAt = now
    status = .executing
    internalStatus = nil
    isManuallyStopped = false
    startedAt = now
    finishedAt = nil
    turn = 1
    sequence = 1
    firstSequence = 1
    resultSequence = nil
    systemSequence = start.carriesSystemMessage ? 1 : nil
    self.owner = owner
    // A number that no earlier task with the same key and owner had: SQLite uses keys again.
    fence = position
    title = start.title
    userID = start.userID
    parentID = start.parentID
    triggeringAgentID = start.triggeringAgentID
    promptTokens = nil
    completionTokens = nil
    forkedFrom = nil
    forkedAt = nil
    self.position = position
  }

  /// A task that goes on from another one. It is put aside, in nobody's hands; its key is known once it is stored.
  init(_ start: ForkStart, at position: Int64, at now: Timestamp) {
    let source = start.source
    key = 0
    organizationID = source.organizationID
    id = start.taskID
    agentID = source.agentID
    createdAt = now
    updatedAt = now
    status = .pending
    internalStatus = nil
    isManuallyStopped = false
    startedAt = start.startedAt
    finishedAt = nil
    turn = start.turn
    sequence = start.entry == nil ? start.through : start.through &+ 1
    firstSequence = start.firstSequence
    resultSequence = nil
    systemSequence = start.systemSequence
    owner = nil
    fence = position
    title = start.title
    userID = start.userID
    parentID = nil
    triggeringAgentID = start.triggeringAgentID
    promptTokens = nil
    completionTokens = nil
    forkedFrom = source.id
    forkedAt = start.through
    self.position = position
  }

  /// A copy, to be changed.
  init(_ other: TaskRow) {
    key = other.key
    organizationID = other.organizationID
    id = other.id
    agentID = other.agentID
    createdAt = other.createdAt
    updatedAt = other.updatedAt
    status = other.status
    internalStatus = other.internalStatus
    isManuallyStopped = other.isManuallyStopped
    startedAt = other.startedAt
    finishedAt = other.finishedAt
    turn = other.turn
    sequence = other.sequence
    firstSequence = other.firstSequence
    resultSequence = other.resultSequence
    systemSequence = other.systemSequence
    owner = other.owner
    fence = other.fence
    title = other.title
    userID = other.userID
    parentID = other.parentID
    triggeringAgentID = other.triggeringAgentID
    promptTokens = other.promptTokens
    completionTokens = other.completionTokens
    forkedFrom = other.forkedFrom
    forkedAt = other.forkedAt
    position = other.position
  }
}
