import MusterJSON
import MusterStore

/// A turn that somebody has asked for, and what they were told of it.
final class Turn {
  /// How it was asked for.
  enum Manner {
    /// A caller waits for it.
    case invoked
    /// Nobody does.
    case launched
    /// Its caller waits until it is accepted.
    case accepted
  }

  let number: Int
  let task: Int
  let manner: Manner
  let modelCalls: Int?
  let toolCalls: Int?
  let toolCallsAnswered: Int?
  let wantsJSON: Bool
  /// Which turn of its task it is, once somebody was told that it was accepted; 0: they were not told which.
  private(set) var accepted: Int64?
  /// The status with which it has ended, once somebody was told.
  private(set) var end: TaskStatus?
  /// How often its model was asked.
  var asks = 0
  /// The calls of tools that were made for it.
  var calls: [String] = []

  /// Whether other agents work on it, too: what it may use up is theirs as well.
  let isTeam: Bool

  init(number: Int, task: Int, manner: Manner, isTeam: Bool, dice: Dice) {
    self.isTeam = isTeam
    self.number = number
    self.task = task
    self.manner = manner
    modelCalls = dice.percent(20) ? dice.within(1...4) : nil
    toolCalls = dice.percent(15) ? dice.within(1...5) : nil
    // It holds for each agent by itself.
    toolCallsAnswered = dice.percent(15) && !isTeam ? dice.within(1...5) : nil
    wantsJSON = dice.percent(15)
  }

  /// What the model is asked.
  var prompt: String { "turn \(number)" }

  /// The turn that a prompt is of; nil: of none.
  static func number(of prompt: String) -> Int? {
    prompt.hasPrefix("turn ") ? Int(prompt.dropFirst(5)) : nil
  }

  var request: JSON {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("input")
    writer.beginObject()
    writer.member("text", prompt)
    writer.endObject()
    if wantsJSON { writer.member("output_format", "json") }
    if let toolCallsAnswered { writer.member("tool_call_limit", Int64(toolCallsAnswered)) }
    writer.key("limits")
    writer.beginObject()
    if let modelCalls { writer.member("model_calls", Int64(modelCalls)) }
    if let toolCalls { writer.member("tool_calls", Int64(toolCalls)) }
    writer.endObject()
    writer.endObject()
    return writer.json
  }

  /// Somebody was told that it was accepted.
  func accept(_ task: TaskRow) { accepted = task.turn }

  /// Somebody was told how it ended. Gives what is wrong with that.
  func end(_ task: TaskRow) -> String? {
    if let end, end != task.status { return "\(prompt) ended \(end.word) and then \(task.status.word)" }
    accepted = accepted ?? 0
    end = task.status
    return nil
  }

  /// The power was gone: its model may be asked anew what was not on the disk. Unless stores are durable, nobody was promised
  /// more than that what is there fits together.
  func lostPower(isDurable: Bool) {
    asks = 0
    calls = []
    if isDurable { return }
    accepted = nil
    end = nil
  }
}
