/// The tools that a model has asked for in one answer, and what has become of each.
package struct OpenCalls: Sendable {
  /// The record that holds the answer.
  package let sequence: Int64
  package let requests: [ToolRequest]
  /// What the ids of the calls begin with, which no other answer has.
  package let key: String
  /// What is to be done about each; nil once its result is there.
  package private(set) var commands: [Command?]
  /// Whether whoever ran the turn may have followed the command. After a person's decision nobody has, until somebody goes
  /// on with the run.
  private(set) var isTakenUp: [Bool]

  package init(sequence: Int64, requests: [ToolRequest], key: String) {
    self.sequence = sequence
    self.requests = requests
    self.key = key
    commands = Array(repeating: nil, count: requests.count)
    isTakenUp = Array(repeating: true, count: requests.count)
  }

  package var isOver: Bool { commands.allSatisfy { $0 == nil } }

  /// Whether there is nothing to do but to wait for people.
  package var waitsForPeople: Bool {
    !isOver && commands.allSatisfy { if case .askPerson? = $0 { true } else { $0 == nil } }
  }

  /// The id of a call, unique for ever; also the key by which the tool knows it again.
  package func id(_ call: Int) -> String { "\(key)-\(call)" }

  /// What is to be done about a call; nil when there is no such call, or nothing more to do.
  package func command(_ call: Int) -> Command? { commands.indices.contains(call) ? commands[call] : nil }

  mutating func open(_ command: Command, call: Int, isTakenUp: Bool) {
    guard commands.indices.contains(call) else { return }
    commands[call] = command
    self.isTakenUp[call] = isTakenUp
  }

  mutating func close(_ call: Int) {
    if commands.indices.contains(call) { commands[call] = nil }
  }
}
