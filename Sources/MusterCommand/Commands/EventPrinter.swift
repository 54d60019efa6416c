import CMuster

/// Prints the events of a task as they come: its answer for people, or each event as a line of JSON.
struct EventPrinter {
  private let session: Session
  private let spinner: Spinner
  /// Whether something of the answer stands in the last line.
  private var isInText = false

  init(_ session: Session, _ title: String) {
    self.session = session
    spinner = Spinner(title)
  }

  /// Prints all events of a call; gives the exit code for how its task ended.
  mutating func print(_ reader: EventReader) throws(Failure) -> Int32 {
    while true {
      let event: EventReader.Event
      do throws(Plane.CallFailure) {
        event = try reader.next()
      } catch {
        throw error.failure
      }
      spinner.stop()
      if session.isJSON, let text = event.text { Output.text(text + "\n") }
      let value = try event.text.map { text throws(Failure) in try Value.parse(text) }
      if !event.isLast {
        if let value, !session.isJSON { show(value) }
        continue
      }
      endLine()
      if let failure = event.failure {
        switch failure.status {
        case MUSTER_E_CANCELLED: throw Failure(message: failure.message, code: ExitCode.interrupted)
        case MUSTER_E_TIMEOUT: throw Failure(message: failure.message, code: ExitCode.notCompleted)
        default: throw failure.failure
        }
      }
      return try end(value?.member("data"))
    }
  }

  private mutating func show(_ event: Value) {
    switch event.string("type") {
    case "chunk":
      Output.text(event.string("data") ?? "")
      isInText = true
      hasText = true
    case "task_updated":
      if isInText {
        endLine()
        Output.note("the answer broke off and begins anew")
      }
    default: break
    }
  }

  private var hasText = false

  private mutating func endLine() {
    if isInText { Output.text("\n") }
    isInText = false
  }

  private func end(_ task: Value?) throws(Failure) -> Int32 {
    let id = task?.string("id") ?? ""
    let status = task?.string("status") ?? ""
    guard status == "completed" else {
      throw Failure(
        message: "task \(id) ended \(status): \(task?.string("result") ?? "")", code: ExitCode.notCompleted)
    }
    if !session.isJSON, !hasText { Output.text((task?.string("result") ?? "") + "\n") }
    let tokens = task?.member("tokens")?.integer("total_tokens") ?? 0
    Output.note("thread \(id), \(tokens) tokens, \(Time.elapsed(Time.monotonicMilliseconds() - spinner.began))")
    return ExitCode.success
  }
}
