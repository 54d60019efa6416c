import CMuster
import Glibc

/// `muster invoke AGENT TEXT`.
enum InvokeCommand {
  static let command = Command(
    "invoke", "Run an agent and print its answer.", operands: [.init("AGENT"), .init("TEXT")],
    options: [
      .init("thread", "ID", "Continue or start this conversation."),
      .init("version", "V", "A number, or draft for the working copy; default: the deployed version."),
      .init("timeout", "SECONDS", "How long to wait."),
      LimitOptions.limit, LimitOptions.price,
      .init("stream", nil, "Print the answer while it comes; with --json, each event as a line. Not through a server."),
    ],
    details: """
      An agent is named by its id or by its name, if only one has it. The text - stands for standard input. Ctrl-C cancels \
      the run; a second one ends the program at once.
      """, run: run)

  @Sendable private static func run(_ session: Session) throws(Failure) -> Int32 {
    let options = session.options
    if session.isRemote, options.has("stream") {
      throw .usage("--stream needs a store: through a server, answers are printed when they are whole")
    }
    let timeout = try timeoutMilliseconds(options["timeout"])
    let text = session.operand(1) == "-" ? try Input.standard() : session.operand(1)
    guard let arguments = Value.object(), let context = Value.object(), let body = Value.object() else {
      throw .outOfMemory
    }
    if let limits = try LimitOptions.limits(options) { body.set("limits", limits) }
    let plane = try session.open(settings: try settings(session))
    let ticket = muster_ticket_new(plane.handle)
    body.set("input", try Value.object("text", text))
    if let thread = options["thread"] { body.set("id", thread) }
    if let version = options["version"] { arguments.set("version", version) }
    context.set("ticket", Int64(clamping: ticket))
    arguments.set("context", context)
    arguments.set("body", body)
    arguments.set("agent_id", try AgentFinder.find(session.operand(0), in: plane))

    let watch = InterruptWatch(plane: plane, ticket: ticket)
    defer { watch.end() }
    if options.has("stream") {
      if timeout > 0 { context.set("timeout_ms", timeout) }
      var printer = EventPrinter(session, session.operand(0), plane)
      return try printer.print(try EventReader.open("agents.invoke_stream", arguments, on: plane))
    }
    let spinner = Spinner(session.operand(0))
    let answer: String
    do throws(Plane.CallFailure) {
      answer = try plane.call("agents.invoke", arguments.text, timeoutMilliseconds: timeout)
    } catch {
      spinner.stop()
      switch error.status {
      case MUSTER_E_CANCELLED: throw Failure(message: error.message, code: ExitCode.interrupted)
      case MUSTER_E_TIMEOUT: throw Failure(message: error.message, code: ExitCode.notCompleted)
      default: throw error.failure
      }
    }
    return try TaskEnd.show(answer, session, plane, milliseconds: spinner.stop())
  }

  /// What the plane is told beside where its store is. A server has prices of its own.
  private static func settings(_ session: Session) throws(Failure) -> Value? {
    guard let prices = try LimitOptions.prices(session.options) else { return nil }
    if session.isRemote { throw .usage("--price needs a store: a server has prices of its own") }
    guard let settings = Value.object() else { throw .outOfMemory }
    settings.set("prices", prices)
    return settings
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
