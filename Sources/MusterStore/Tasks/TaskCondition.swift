import MusterSystem

/// A task filter as SQL: the conditions that are asked for, in a fixed order, with their values as parameters.
struct TaskCondition {
  private enum Value {
    case text(String)
    case integer(Int64)
  }

  private(set) var sql = ""
  private var values: [Value] = []

  var isEmpty: Bool { values.isEmpty }
  var count: Int32 { Int32(clamping: values.count) }

  init(_ filter: TaskFilter) {
    add("t.agent_id = ?", filter.agentID.map { .text($0) })
    add(
      "t.agent_id IN (SELECT value FROM json_each(?))",
      filter.agents.map { .text(String(decoding: IDList.text($0), as: UTF8.self)) })
    add("t.user_id = ?", filter.userID.map { .text($0) })
    add("t.parent_id = ?", filter.parentID.map { .text($0) })
    add("t.triggering_agent_id = ?", filter.triggeringAgentID.map { .text($0) })
    add("t.status = ?", filter.status.map { .integer($0.rawValue) })
    add("t.internal_status = ?", filter.internalStatus.map { .text($0) })
    add("t.created_at >= ?", filter.from.map { .integer($0.microseconds) })
    add("t.created_at <= ?", filter.to.map { .integer($0.microseconds) })
  }

  private mutating func add(_ condition: String, _ value: Value?) {
    guard let value else { return }
    sql += " AND " + condition
    values.append(value)
  }

  /// Binds the values to the parameters from `first` on.
  @discardableResult
  func bind(to statement: Statement, from first: Int32) -> Statement {
    var index = first
    for value in values {
      switch value {
      case .text(let text): statement.bind(index, text)
      case .integer(let number): statement.bind(index, number)
      }
      index += 1
    }
    return statement
  }
}
