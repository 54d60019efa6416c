import MusterJSON

/// What tools have done to the world, by the keys of the calls; and what people have allowed.
final class Effects {
  /// What is known of one call.
  struct Record {
    let tool: SimulatedTool.Kind
    let task: String
    /// How often it was made, and how often it did something.
    var calls = 0
    var done = 0
    /// Whether somebody who knows has said that it may be made again.
    var isCleared = false
  }

  weak var world: World?
  private(set) var records: [String: Record] = [:]
  /// In the order in which they came.
  private(set) var keys: [String] = []
  /// The calls that a person has allowed before they were made.
  private var approved: Set<String> = []

  func isDone(_ key: String) -> Bool { (records[key]?.done ?? 0) > 0 }

  func approve(_ key: String) { approved.insert(key) }

  /// Somebody who knows has said that the call was not done.
  func clear(_ key: String) { records[key]?.isCleared = true }

  /// A tool is called. What is wrong with that is told.
  func called(_ key: String, _ tool: SimulatedTool.Kind, _ call: JSON) {
    if records[key] == nil {
      records[key] = Record(tool: tool, task: call["task_id"]?.string ?? "")
      keys.append(key)
    }
    guard var record = records[key] else { return }
    let isRepeat = call["repeat"]?.bool ?? false
    if record.tool != tool { world?.violate("the call \(key) is of two tools") }
    if tool.needsApproval, !approved.contains(key) { world?.violate("\(tool) was called without approval: \(key)") }
    if call["arguments"]?["n"]?.int64 == nil { world?.violate("\(tool) was called with arguments that do not fit it") }
    if tool.isOnce {
      if record.calls > 0, !isRepeat {
        world?.violate("\(tool) was called a second time as if it were the first: \(key)")
      }
      if record.calls > 0, !record.isCleared { world?.violate("\(tool) was called again unasked: \(key)") }
    }
    record.calls += 1
    record.isCleared = false
    records[key] = record
  }

  /// A tool does what it is there for.
  func act(_ key: String) {
    guard var record = records[key] else { return }
    if record.tool == .set || record.tool == .look {
      // A second time changes nothing.
      record.done = 1
    } else {
      record.done += 1
      if record.done > 1 { world?.violate("\(record.tool) had its effect twice: \(key)") }
    }
    records[key] = record
    world?.counts.effects += 1
  }
}
