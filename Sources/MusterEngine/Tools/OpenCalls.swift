/// The tools that a model has asked for in one answer, and what has become of each.
package struct OpenCalls: Sendable {
  /// The record that holds the answer.
  package let sequence: Int64
  package let requests: [ToolRequest]
  /// What the ids of the calls begin with, which no other answer has.
  package let key: String
  /// What is to be done about each; nil once its result is there.
  package private(set) var commands: [Command?]

  init(sequence: Int64, answer: ModelAnswered) {
    self.sequence = sequence
    requests = answer.calls
    key = answer.key ?? ""
    commands = Array(repeating: nil, count: answer.calls.count)
  }

  package var isOver: Bool { commands.allSatisfy { $0 == nil } }

  /// The id of a call, unique for ever; also the key by which the tool knows it again.
  package func id(_ call: Int) -> String { "\(key)-\(call)" }

  /// What is to be done about a call; nil when there is no such call, or nothing more to do.
  package func command(_ call: Int) -> Command? { commands.indices.contains(call) ? commands[call] : nil }

  mutating func open(_ command: Command, call: Int) {
    if commands.indices.contains(call) { commands[call] = command }
  }

  mutating func close(_ call: Int) {
    if commands.indices.contains(call) { commands[call] = nil }
  }
}
