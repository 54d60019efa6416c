package import MusterJSON

/// A wish of a run. It is recorded with the event that caused it, and never computed again.
package enum Command: Sendable, Equatable {
  case askModel(attempt: Int64, repair: Repair?)
  /// Has the model sum up what was said in the task that this one is a part of.
  case summarize(attempt: Int64)
  case wait(milliseconds: Int64)
  /// Calls the tool that the last answer asks for in this place.
  case callTool(call: Int, Manner)
  /// Answers such a call without calling the tool: a text for the model.
  case answerCall(call: Int, Reason, text: String)
  /// Waits for a person to decide on such a call.
  case askPerson(call: Int, Question)
  case finish(Finish)

  /// How a tool is called.
  package enum Manner: String, Sendable {
    case first
    /// With the same key as before: nobody knows whether it was done.
    case again
    /// It is only asked what became of the call.
    case probe
  }

  /// Why a call is answered without its tool.
  package enum Reason: String, Sendable {
    /// The arguments do not fit it.
    case arguments
    /// There is no such tool.
    case unknown
    /// No more calls are made.
    case limit
    /// A person does not want it.
    case declined
    /// A person says that it was done.
    case done
  }

  /// What a person is asked about a call.
  package enum Question: String, Sendable {
    /// Whether it may be made.
    case approval
    /// Whether it was made: the run was interrupted in the middle of it.
    case outcome
  }

  /// An answer that goes back to the model.
  package struct Repair: Sendable, Equatable {
    /// The record that holds the answer.
    package let sequence: Int64
    /// What to tell the model.
    package let prompt: String
  }

  /// How a run ends.
  package struct Finish: Sendable, Equatable {
    package enum Status: String, Sendable {
      case completed
      /// It answered, but not acceptably.
      case failed
      /// It could not run.
      case error
      /// A person or a time-out ended it.
      case stopped
    }

    package let status: Status
    package let internalStatus: String?
    package let isManuallyStopped: Bool
    /// The text of the result; nil when it is the text of the answer in the same record, or when there is none.
    package let result: String?

    package init(status: Status, internalStatus: String? = nil, isManuallyStopped: Bool = false, result: String? = nil)
    {
      self.status = status
      self.internalStatus = internalStatus
      self.isManuallyStopped = isManuallyStopped
      self.result = result
    }
  }

  private func write(to writer: inout JSONWriter) {
    writer.beginObject()
    switch self {
    case .askModel(let attempt, let repair):
      writer.key("ask_model")
      writer.beginObject()
      writer.member("attempt", attempt)
      if let repair {
        writer.key("repair")
        writer.beginObject()
        writer.member("sequence", repair.sequence)
        writer.member("prompt", repair.prompt)
        writer.endObject()
      }
      writer.endObject()
    case .summarize(let attempt):
      writer.key("summarize")
      writer.beginObject()
      writer.member("attempt", attempt)
      writer.endObject()
    case .wait(let milliseconds):
      writer.key("wait")
      writer.beginObject()
      writer.member("milliseconds", milliseconds)
      writer.endObject()
    case .callTool(let call, let manner):
      writer.key("call_tool")
      writer.beginObject()
      writer.member("call", Int64(call))
      if manner != .first { writer.member("manner", manner.rawValue) }
      writer.endObject()
    case .answerCall(let call, let reason, let text):
      writer.key("answer_call")
      writer.beginObject()
      writer.member("call", Int64(call))
      writer.member("reason", reason.rawValue)
      writer.member("text", text)
      writer.endObject()
    case .askPerson(let call, let question):
      writer.key("ask_person")
      writer.beginObject()
      writer.member("call", Int64(call))
      writer.member("question", question.rawValue)
      writer.endObject()
    case .finish(let finish):
      writer.key("finish")
      writer.beginObject()
      writer.member("status", finish.status.rawValue)
      if let internalStatus = finish.internalStatus { writer.member("internal_status", internalStatus) }
      if finish.isManuallyStopped { writer.member("is_manually_stopped", true) }
      if let result = finish.result { writer.member("result", result) }
      writer.endObject()
    }
    writer.endObject()
  }

  private init(_ json: JSON) throws(UnreadableRecord) {
    if let ask = json["ask_model"], let attempt = ask["attempt"]?.int64 {
      var repair: Repair?
      if let asked = ask["repair"] {
        guard let sequence = asked["sequence"]?.int64, let prompt = asked["prompt"]?.string else {
          throw UnreadableRecord(what: "repair")
        }
        repair = Repair(sequence: sequence, prompt: prompt)
      }
      self = .askModel(attempt: attempt, repair: repair)
    } else if let summarize = json["summarize"], let attempt = summarize["attempt"]?.int64 {
      self = .summarize(attempt: attempt)
    } else if let wait = json["wait"], let milliseconds = wait["milliseconds"]?.int64 {
      self = .wait(milliseconds: milliseconds)
    } else if let asked = json["call_tool"], let call = Command.call(asked) {
      guard let manner = Manner(rawValue: asked["manner"]?.string ?? Manner.first.rawValue) else {
        throw UnreadableRecord(what: "manner of a call")
      }
      self = .callTool(call: call, manner)
    } else if let asked = json["answer_call"], let call = Command.call(asked),
      let reason = asked["reason"]?.string.flatMap({ Reason(rawValue: $0) }), let text = asked["text"]?.string
    {
      self = .answerCall(call: call, reason, text: text)
    } else if let asked = json["ask_person"], let call = Command.call(asked),
      let question = asked["question"]?.string.flatMap({ Question(rawValue: $0) })
    {
      self = .askPerson(call: call, question)
    } else if let finish = json["finish"],
      let status = finish["status"]?.string.flatMap({ Finish.Status(rawValue: $0) })
    {
      self = .finish(
        Finish(
          status: status, internalStatus: finish["internal_status"]?.string,
          isManuallyStopped: finish["is_manually_stopped"]?.bool ?? false, result: finish["result"]?.string))
    } else {
      throw UnreadableRecord(what: "command")
    }
  }

  private static func call(_ json: JSON) -> Int? { json["call"]?.int64.flatMap { Int(exactly: $0) } }

  /// Commands as a JSON array.
  package static func json(_ commands: [Command]) -> JSON {
    var writer = JSONWriter(capacity: 64)
    writer.beginArray()
    for command in commands { command.write(to: &writer) }
    writer.endArray()
    return writer.json
  }

  /// Reads commands back.
  package static func commands(_ json: JSON) throws(UnreadableRecord) -> [Command] {
    guard json.kind == .array else { throw UnreadableRecord(what: "commands") }
    var commands: [Command] = []
    for element in json.elements { commands.append(try Command(element)) }
    return commands
  }
}
