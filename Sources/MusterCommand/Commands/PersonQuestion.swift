/// What a paused task asks a person, and the commands that answer.
struct PersonQuestion {
  let task: String
  /// Which call it is about.
  let request: String
  let tool: String
  /// The arguments of the call as the model wrote them.
  let arguments: String
  /// What the agent says that its approver should be told.
  private let ownTitle: String?
  let description: String?
  /// Whether the call may have been made: then the person tells what became of it, and does not approve it.
  let isAboutOutcome: Bool

  /// Nil for a task that asks nothing.
  init?(of task: Value) {
    guard task.string("status") == "paused", let asked = task.member("hitl_request"), asked.isObject else { return nil }
    self.task = task.string("id") ?? ""
    request = asked.string("request_id") ?? ""
    tool = asked.string("operation_id") ?? ""
    arguments = asked.string("content") ?? ""
    ownTitle = asked.string("title").flatMap { $0.isEmpty ? nil : $0 }
    description = asked.string("description")
    isAboutOutcome = asked.string("question") == "outcome"
  }

  /// What a task waits for, itself or by a task below it; nil when it waits for no person. A task whose sub-task asks
  /// is itself `pending`. The levels bound how far that is followed.
  static func find(_ id: String, in plane: Plane, levels: Int = 16) throws(Failure) -> PersonQuestion? {
    let task = try Value.parse(try plane.answer("tasks.get", try Value.object("task_id", id)))
    if let question = PersonQuestion(of: task) { return question }
    guard task.string("status") == "pending", levels > 0 else { return nil }
    let ended = task.member("finished_sub_executions")?.texts ?? []
    for below in task.member("sub_executions")?.texts ?? [] where !ended.contains(below) {
      if let question = try find(below, in: plane, levels: levels - 1) { return question }
    }
    return nil
  }

  var title: String {
    if isAboutOutcome { return "what became of the call of \(tool)?" }
    return ownTitle ?? "may \(tool) be called?"
  }

  /// What is asked, in full words.
  var question: String {
    isAboutOutcome
      ? "outcome: the call was begun, and nobody knows what became of it"
      : "approval: the call is made once a person has approved it"
  }

  /// The commands that answer, one a line.
  var answers: String {
    let approve = "muster tasks approve \(Self.word(task))"
    let reject = "muster tasks reject \(Self.word(task))"
    return isAboutOutcome
      ? "\(approve) --decision done\n\(approve) --decision not_done\n\(reject)" : "\(approve)\n\(reject)"
  }

  /// One line for people who did not ask about the task.
  var line: String {
    let answer = "muster tasks approve \(Self.word(task))" + (isAboutOutcome ? " --decision done or not_done" : "")
    return "task \(task) waits for a person: \(title) (\(answer))"
  }

  /// A task's id as a shell takes it: callers choose ids, and what is shown is copied.
  private static func word(_ id: String) -> String {
    let isPlain = id.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: ":"):
        return true
      default: return false
      }
    }
    return isPlain && !id.isEmpty ? id : Completions.quoted(id)
  }
}
