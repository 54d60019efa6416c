import MusterJSON

/// How an agent works with the agents that it leads, as it was when the turn began. The agents themselves are among the turn's tools.
package struct Team: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// The model of the leader decides whom it asks.
    case router
    /// They work one after another, in the order of `steps`.
    case sequence
  }

  /// What an agent gets to see of what was said before.
  package enum Memory: String, Sendable {
    case full
    case summarization
    case originalInput = "original-input"
  }

  /// What follows the last of a sequence.
  package enum End: String, Sendable {
    /// The leader answers.
    case returnToStart = "return-to-start"
    /// The last one's answer is the result.
    case finishWithLast = "finish-with-last"
  }

  package let kind: Kind
  package let memory: Memory
  package let end: End
  /// Whether an agent that is asked again knows what it was asked before in this thread.
  package let isContinuous: Bool
  /// The names of the tools that stand for the agents of a sequence; empty for a router.
  package let steps: [String]
  /// What the ids of the calls of a sequence begin with, which nothing else has.
  package let key: String?

  package init(kind: Kind, memory: Memory, end: End, isContinuous: Bool, steps: [String], key: String?) {
    self.kind = kind
    self.memory = memory
    self.end = end
    self.isContinuous = isContinuous
    self.steps = steps
    self.key = key
  }

  init(_ json: JSON) throws(UnreadableRecord) {
    guard let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
      let memory = json["memory"]?.string.flatMap({ Memory(rawValue: $0) }),
      let end = json["end"]?.string.flatMap({ End(rawValue: $0) })
    else { throw UnreadableRecord(what: "team of a turn") }
    var steps: [String] = []
    for element in json["steps"]?.elements ?? [] {
      guard let step = element.string else { throw UnreadableRecord(what: "step of a sequence") }
      steps.append(step)
    }
    self.init(
      kind: kind, memory: memory, end: end, isContinuous: json["continuous"]?.bool ?? false, steps: steps,
      key: json["key"]?.string)
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("kind", kind.rawValue)
    writer.member("memory", memory.rawValue)
    writer.member("end", end.rawValue)
    if isContinuous { writer.member("continuous", true) }
    if !steps.isEmpty {
      writer.key("steps")
      writer.beginArray()
      for step in steps { writer.value(step) }
      writer.endArray()
    }
    if let key { writer.member("key", key) }
    writer.endObject()
  }

  /// The calls that the steps of a sequence are; nil for a router. `sequence`: of the record with which the turn begins.
  package func calls(sequence: Int64) -> OpenCalls? {
    guard kind == .sequence, !steps.isEmpty else { return nil }
    return OpenCalls(
      sequence: sequence,
      requests: steps.map { ToolRequest(id: $0, name: $0, arguments: .literal("\"\""), opaque: nil) }, key: key ?? "")
  }
}
