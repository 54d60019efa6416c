import CMuster
import Glibc

/// `muster invoke AGENT TEXT`.
enum InvokeCommand {
  static func run(_ options: Options, store: String) throws(Failure) -> Int32 {
    guard let name = options.operands.first, let text = options.operands.last, let arguments = Value.object(),
      let context = Value.object(), let body = Value.object(), let input = Value.object()
    else { throw .operation("out of memory") }
    let timeout = try timeoutMilliseconds(options["timeout"])
    let plane = try Plane(store: store)
    let ticket = muster_ticket_new(plane.handle)
    input.set("text", text)
    body.set("input", input)
    if let thread = options["thread"] { body.set("id", thread) }
    if let version = options["version"] { arguments.set("version", version) }
    context.set("ticket", Int64(clamping: ticket))
    arguments.set("context", context)
    arguments.set("body", body)
    arguments.set("agent_id", try AgentCommands.find(name, in: plane))

    let watch = InterruptWatch(plane: plane, ticket: ticket)
    defer { watch.end() }
    let answer: String
    do throws(Plane.CallFailure) {
      answer = try plane.call("agents.invoke", arguments.text, timeoutMilliseconds: timeout)
    } catch {
      switch error.status {
      case MUSTER_E_CANCELLED: throw Failure(message: error.message, code: ExitCode.interrupted)
      case MUSTER_E_TIMEOUT: throw Failure(message: error.message, code: ExitCode.notCompleted)
      default: throw error.failure
      }
    }
    return try show(answer, options)
  }

  private static func show(_ answer: String, _ options: Options) throws(Failure) -> Int32 {
    let task = try Value.parse(answer)
    let id = task.string("id") ?? ""
    let status = task.string("status") ?? ""
    let result = task.string("result") ?? ""
    if options.has("json") { Output.text(answer + "\n") }
    guard status == "completed" else {
      throw Failure(message: "task \(id) ended \(status): \(result)", code: ExitCode.notCompleted)
    }
    if !options.has("json") {
      Output.text(result + "\n")
      Output.note("thread \(id), \(task.member("tokens")?.integer("total_tokens") ?? 0) tokens")
    }
    return ExitCode.success
  }

  /// Seconds, also with a fraction, as milliseconds; 0 takes the plane's default.
  private static func timeoutMilliseconds(_ text: String?) throws(Failure) -> Int64 {
    guard let text else { return 0 }
    guard let seconds = Double(text), seconds > 0, let milliseconds = Int64(exactly: (seconds * 1000).rounded(.up))
    else {
      throw .usage("--timeout needs a number of seconds above 0, not \(text)")
    }
    return milliseconds
  }
}
