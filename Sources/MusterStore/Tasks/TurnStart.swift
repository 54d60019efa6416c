package import MusterSystem

/// What begins a turn of a task.
package struct TurnStart: Sendable {
  package let organizationID: String
  package let taskID: String
  package let agentID: String
  package let title: String?
  package let userID: String?
  package let parentID: String?
  package let triggeringAgentID: String?
  /// Whether `entry` carries the text of a system message.
  package let carriesSystemMessage: Bool
  package let entry: JournalEntry
  /// The last record that the entry was built upon; 0 for a task that was not there.
  package let afterSequence: Int64
  /// What the caller's key for repetitions is remembered with.
  package let idempotency: IdempotencyEntry?
  /// Which state of the agent the entry was built upon, if that was not read before; the secrets of its deployed version
  /// come with the beginning then.
  package let agentState: DeployedState?

  package init(
    organizationID: String, taskID: String, agentID: String, title: String?, userID: String?, parentID: String?,
    triggeringAgentID: String?, carriesSystemMessage: Bool, entry: JournalEntry, afterSequence: Int64,
    idempotency: IdempotencyEntry? = nil, agentState: DeployedState? = nil
  ) {
    self.organizationID = organizationID
    self.taskID = taskID
    self.agentID = agentID
    self.title = title
    self.userID = userID
    self.parentID = parentID
    self.triggeringAgentID = triggeringAgentID
    self.carriesSystemMessage = carriesSystemMessage
    self.entry = entry
    self.afterSequence = afterSequence
    self.idempotency = idempotency
    self.agentState = agentState
  }
}

/// How beginning a turn went.
package enum TurnBeginning: Sendable {
  /// With the agent's secrets if its state was to be compared.
  case begun(TaskRow, secrets: [UInt8]?)
  /// The task has changed since the entry was built, or is running: read it again.
  case changed
  /// The agent is not in the state that the entry was built upon.
  case agentChanged
  /// The agent has been deleted.
  case agentGone
}

/// How a task ends.
package struct TurnEnd: Sendable {
  package let status: TaskStatus
  package let internalStatus: String?
  package let isManuallyStopped: Bool
  package let promptTokens: Int64?
  package let completionTokens: Int64?

  package init(
    status: TaskStatus, internalStatus: String?, isManuallyStopped: Bool, promptTokens: Int64?,
    completionTokens: Int64?
  ) {
    self.status = status
    self.internalStatus = internalStatus
    self.isManuallyStopped = isManuallyStopped
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
  }
}

/// What a list of tasks is narrowed to; nil takes all. Times are inclusive bounds of the time of creation.
package struct TaskFilter: Sendable {
  package var agentID: String?
  /// The ids of the only agents whose tasks are wanted.
  package var agents: [String]?
  package var userID: String?
  package var parentID: String?
  package var triggeringAgentID: String?
  package var status: TaskStatus?
  package var internalStatus: String?
  package var from: Timestamp?
  package var to: Timestamp?

  package init() {}
}

/// A task in a list, with the record that holds its result.
package struct TaskListRow: Sendable {
  package let task: TaskRow
  package let result: JournalRecord?
}
