package import MusterEngine
package import MusterJSON
package import MusterSystem

/// Something that followers of a task are told. Source: the contract's chapter on streaming.
package struct TaskEvent: Sendable {
  package enum Content: Sendable {
    /// A turn was accepted: the task, `pending`.
    case created(TaskSnapshot)
    /// It goes on: the task, `executing`.
    case updated(TaskSnapshot)
    /// A piece of the answer, UTF-8.
    case chunk([UInt8])
    /// A tool is about to be called, or the call is refused. `id`: of the call.
    case toolAsked(ToolRequest, id: String)
    /// An agent is about to be started, or the call is refused. `id`: of the call; `query`: what it is told, a JSON string, if that is known.
    case agentTriggered(agent: String, id: String, query: JSON?)
    /// What came of it.
    case toolReturned(ToolRequest, id: String, ToolReturned)
    /// The turn has ended.
    case finished(TaskSnapshot)
  }

  /// The place behind it: who goes on there misses nothing.
  package let position: EventPosition
  package let organizationID: String
  package let taskID: String
  package let time: Timestamp
  package let content: Content

  /// Whether it tells what tools are asked, or have answered.
  var isOfTools: Bool {
    switch content {
    case .toolAsked, .agentTriggered, .toolReturned: return true
    default: return false
    }
  }
}

/// What a follower gets.
package enum FollowerItem: Sendable {
  case event(TaskEvent)
  /// The last that it gets.
  case end(FollowerEnd)
}

/// How a follower's events end.
package enum FollowerEnd: Sendable {
  /// With the end of the turn. To whoever submitted the run: what ended it, unless it ended by itself.
  case finished(TaskEvent, cause: RunError?)
  /// There is nothing, or nothing more, to follow.
  case failed(RunError)
}
