/// What the program says when it follows a task no further.
enum TaskEnd {
  /// Prints a task that was waited for: its answer, or the whole of it as JSON.
  static func show(
    _ answer: String, _ session: Session, _ plane: Plane, milliseconds: Int
  ) throws(Failure) -> Int32 {
    let task = try Value.parse(answer)
    if session.isJSON { session.printJSON(answer) }
    guard task.string("status") == "completed" else { throw failure(task, in: plane) }
    if !session.isJSON { Output.text((task.string("result") ?? "") + "\n") }
    note(task, milliseconds: milliseconds)
    return ExitCode.success
  }

  /// Why a task that has not completed is no success: it ended otherwise, or waits for a person.
  static func failure(_ task: Value, in plane: Plane) -> Failure {
    let id = task.string("id") ?? ""
    switch task.string("status") ?? "" {
    case "paused", "pending":
      let question = PersonQuestion(of: task) ?? (try? PersonQuestion.find(id, in: plane)) ?? nil
      return notCompleted(question?.line ?? "task \(id) has not ended")
    case let status: return notCompleted("task \(id) ended \(status): \(task.string("result") ?? "")")
    }
  }

  static func notCompleted(_ message: String) -> Failure { Failure(message: message, code: ExitCode.notCompleted) }

  /// What people are told beside a completed answer.
  static func note(_ task: Value, milliseconds: Int) {
    let tokens = task.member("tokens")?.integer("total_tokens") ?? 0
    Output.note("thread \(task.string("id") ?? ""), \(tokens) tokens, \(Time.elapsed(milliseconds))")
  }
}
