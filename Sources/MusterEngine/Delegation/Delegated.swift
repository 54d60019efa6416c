import MusterJSON

/// What makes a turn one of a sub-task: the call of another task's run that it answers.
package struct Delegated: Sendable, Equatable {
  /// Where what was said in the other task is found.
  package struct Source: Sendable, Equatable {
    package let task: String
    package let turn: Int64
    /// The record that holds the answer with the call: what was said before it counts.
    package let sequence: Int64

    package init(task: String, turn: Int64, sequence: Int64) {
      self.task = task
      self.turn = turn
      self.sequence = sequence
    }
  }

  package enum Memory: Sendable, Equatable {
    /// Nothing but the prompt.
    case none
    /// All that was said in the other task stands before the prompt.
    case full(Source)
    /// The model sums up what was said in the other task first; that stands before the prompt.
    case summary(Source)
  }

  /// The id of the call.
  package let call: String
  /// How many tasks are above it.
  package let depth: Int64
  package let memory: Memory

  package init(call: String, depth: Int64, memory: Memory) {
    self.call = call
    self.depth = depth
    self.memory = memory
  }

  init(_ json: JSON) throws(UnreadableRecord) {
    guard let call = json["call"]?.string, let depth = json["depth"]?.int64 else {
      throw UnreadableRecord(what: "sub-task")
    }
    self.call = call
    self.depth = depth
    if let full = json["full"] {
      memory = .full(try Delegated.source(full))
    } else if let summary = json["summary"] {
      memory = .summary(try Delegated.source(summary))
    } else {
      memory = .none
    }
  }

  private static func source(_ json: JSON) throws(UnreadableRecord) -> Source {
    guard let task = json["task"]?.string, let turn = json["turn"]?.int64, let sequence = json["sequence"]?.int64 else {
      throw UnreadableRecord(what: "memory of a sub-task")
    }
    return Source(task: task, turn: turn, sequence: sequence)
  }

  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("call", call)
    writer.member("depth", depth)
    switch memory {
    case .none: break
    case .full(let source): write(source, as: "full", to: &writer)
    case .summary(let source): write(source, as: "summary", to: &writer)
    }
    writer.endObject()
  }

  private func write(_ source: Source, as key: StaticString, to writer: inout JSONWriter) {
    writer.key(key)
    writer.beginObject()
    writer.member("task", source.task)
    writer.member("turn", source.turn)
    writer.member("sequence", source.sequence)
    writer.endObject()
  }
}
