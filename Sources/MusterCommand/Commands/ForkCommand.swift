/// `muster tasks fork TASK EVENT`.
enum ForkCommand {
  static let command = Command(
    "tasks fork", "Make a new task that goes on from an event of another one, and print its answer.",
    operands: [.init("TASK"), .init("EVENT")],
    options: [
      .init("input", "TEXT", "What is asked instead, or next."),
      .init("instructions", "TEXT", "Takes the place of the agent's instructions."),
      .init("model", "NAME", "The model that is asked instead."),
      .init("provider", "PROVIDER", "Whose model that is."),
    ],
    details: """
      EVENT is the number of a record, or the id of an event as tasks watch --json prints them. Behind the last event of a \
      turn a further turn begins, which needs --input. What tools did up to the event is not done again. The other task \
      stays as it is. Follows the new task until it has ended; with --json, prints each event as a line, or \
      through a server the task.
      """, run: run)

  @Sendable private static func run(_ session: Session) throws(Failure) -> Int32 {
    guard let body = Value.object(), let following = Value.object() else { throw .outOfMemory }
    body.set("event", session.operand(1))
    if let text = session.options["input"] { body.set("input", try Value.object("text", text)) }
    let names = [("instructions", "instructions"), ("model", "llm_model_name"), ("provider", "llm_model_provider")]
    for (option, member) in names { if let value = session.options[option] { body.set(member, value) } }
    let arguments = try Value.object("task_id", session.operand(0))
    arguments.set("body", body)
    let plane = try session.open()
    let task = try Value.parse(try plane.answer("tasks.fork", arguments))
    let id = task.string("id") ?? ""
    following.set("task_id", id)
    following.set("after", task.member("forked_from")?.integer("event") ?? 0)
    Output.note("task \(id)")
    do throws(Failure) {
      return session.isRemote ? try wait(for: id, session, plane) : try follow(id, following, session, plane)
    } catch {
      // It is there, whatever hinders this program from following it.
      throw error.code == ExitCode.failed
        ? Failure(message: "task \(id) was made, but not followed: \(error.message)", code: error.code) : error
    }
  }

  private static func follow(
    _ id: String, _ following: Value, _ session: Session, _ plane: Plane
  ) throws(Failure) -> Int32 {
    var printer = EventPrinter(session, id, plane)
    return try printer.print(try EventReader.open("tasks.events", following, on: plane), following: id)
  }

  private static func wait(for id: String, _ session: Session, _ plane: Plane) throws(Failure) -> Int32 {
    let spinner = Spinner(id)
    defer { spinner.stop() }
    let answer = try RemoteTask.end(of: id, on: plane)
    return try TaskEnd.show(answer, session, plane, milliseconds: spinner.stop())
  }
}
