/// What the program says when it follows a task no further.
enum TaskEnd {
  /// Why a task that has not completed is no success: it ended otherwise, or waits for a person.
  static func failure(_ task: Value, in plane: Plane) -> Failure {
    let id = task.string("id") ?? ""
    switch task.string("status") ?? "" {
    case "paused", "pending":
      let question = PersonQuestion(of: task) ?? (try? PersonQuestion.find(id, in: plane)) ?? nil
      return notCompleted(question?.line ?? "task \(id) has not ended (muster tasks watch \(id))")
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
