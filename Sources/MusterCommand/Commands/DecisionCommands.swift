/// `muster tasks approve` and `muster tasks reject`: what a person decides about a call that a task waits for.
enum DecisionCommands {
  private static let task = Command.Operand("TASK")
  private static let decisions = ["proceed", "done", "not_done", "give_up"]
  private static let request = Command.Option("request", "ID", "Which call; default: the one that tasks get shows.")
  private static let user = Command.Option("user", "ID", "Who decided; kept in the task's journal.")

  static let all = [
    Command(
      "tasks approve", "Let a task go on that waits for a person.", operands: [task],
      options: [
        request,
        .init(
          "decision", "WHAT", "proceed (the default), done, not_done or give_up.", completion: .words(decisions)),
        .init("comment", "TEXT", "With --decision done: what the model is told as the result."),
        user,
      ],
      details: """
        Asked for approval: proceed makes the call. Asked what became of a call: done takes it as made, not_done makes it \
        again; one of them is required. give_up ends the task, failed. The task goes on in a program that has its tools.
        """, run: approve),
    Command(
      "tasks reject", "Decline the call that a task waits for.", operands: [task],
      options: [request, .init("comment", "TEXT", "Why; the model is told."), user],
      details: """
        The model is told, and the task goes on in a program that has its tools. Where it was asked what became of a call, \
        the task ends, failed.
        """, run: reject),
  ]

  @Sendable private static func approve(_ session: Session) throws(Failure) -> Int32 {
    if let decision = session.options["decision"], !decisions.contains(decision) {
      throw .usage("--decision needs one of \(decisions.joined(separator: ", ")), not \(decision)")
    }
    return try decide("tasks.approve", session)
  }

  @Sendable private static func reject(_ session: Session) throws(Failure) -> Int32 {
    try decide("tasks.reject", session)
  }

  private static func decide(_ operation: String, _ session: Session) throws(Failure) -> Int32 {
    guard let body = Value.object() else { throw .outOfMemory }
    for (option, key) in [
      ("request", "request_id"), ("decision", "decision"), ("comment", "comment"), ("user", "user"),
    ] {
      if let value = session.options[option] { body.set(key, value) }
    }
    let id = session.operand(0)
    let arguments = try Value.object("task_id", id)
    arguments.set("body", body)
    let plane = try session.open()
    let answer: String
    do throws(Plane.CallFailure) {
      answer = try plane.call(operation, arguments.text)
    } catch {
      // What it waits for says why the decision does not fit.
      guard error.httpStatus == 409, let question = (try? PersonQuestion.find(id, in: plane)) ?? nil else {
        throw error.failure
      }
      throw .operation("\(error.message): \(question.line)")
    }
    if session.isJSON {
      session.printJSON(answer)
    } else {
      Output.text(line(of: try Value.parse(answer), isRemote: session.isRemote) + "\n")
    }
    return ExitCode.success
  }

  /// What came of the decision.
  private static func line(of task: Value, isRemote: Bool) -> String {
    // Another of its calls may wait, too.
    if let question = PersonQuestion(of: task) { return question.line }
    let start = "task \(task.string("id") ?? "")"
    switch task.string("status") ?? "" {
    case "pending":
      return isRemote ? "\(start) goes on" : "\(start) is pending: it goes on in a program that has its tools"
    case "executing": return "\(start) goes on"
    case let status: return "\(start) ended \(status): \(task.string("result") ?? "")"
    }
  }
}
