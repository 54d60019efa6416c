import CMuster

/// Prints the events of a task as they come: its answer for people, or each event as a line of JSON.
struct EventPrinter {
  private static let quietMilliseconds: Int64 = 500

  private let session: Session
  private let plane: Plane
  private let spinner: Spinner
  /// Whether something of the answer stands in the last line.
  private var isInText = false
  /// Whether something was printed of what the model says now: since the last call of a tool.
  private var hasText = false
  /// The last question that was told.
  private var toldRequest: String?

  init(_ session: Session, _ title: String, _ plane: Plane) {
    self.session = session
    self.plane = plane
    spinner = Spinner(title)
  }

  /// Prints all events of a call; gives the exit code for how its task ended. `followed`: the task, where the events of one
  /// that waits for a person neither end nor say so.
  mutating func print(_ reader: EventReader, following followed: String? = nil) throws(Failure) -> Int32 {
    let timeout = followed == nil ? -1 : Self.quietMilliseconds
    while true {
      let event: EventReader.Event?
      do throws(Plane.CallFailure) {
        event = try reader.next(timeoutMilliseconds: timeout)
      } catch {
        throw error.failure
      }
      guard let event else {
        if let followed { look(at: followed) }
        continue
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
        case MUSTER_E_TIMEOUT: throw TaskEnd.notCompleted(failure.message)
        default: throw failure.failure
        }
      }
      return try end(value?.member("data"))
    }
  }

  /// Nothing has come for a while: the task may wait for a person. What cannot be asked is told by the events.
  private mutating func look(at task: String) {
    guard let question = (try? PersonQuestion.find(task, in: plane)) ?? nil, question.request != toldRequest else {
      return
    }
    toldRequest = question.request
    spinner.stop()
    endLine()
    Output.warning(question.line)
  }

  private mutating func show(_ event: Value) {
    switch event.string("type") {
    case "chunk":
      Output.text(event.string("data") ?? "")
      isInText = true
      hasText = true
    case "tool_call_request", "tool_call_result", "sub_agent_trigger":
      // What the model said is whole: it goes on with another answer.
      endLine()
      hasText = false
      if let data = event.member("data"), let line = ToolLine.of(event.string("type") ?? "", data) {
        Output.note(line, style: .faint)
      }
    case "task_updated":
      if isInText {
        endLine()
        Output.note("the answer broke off and begins anew")
      }
    default: break
    }
  }

  private mutating func endLine() {
    if isInText { Output.text("\n") }
    isInText = false
  }

  private func end(_ task: Value?) throws(Failure) -> Int32 {
    guard let task else { throw .operation("the task's last event says nothing of it") }
    guard task.string("status") == "completed" else { throw TaskEnd.failure(task, in: plane) }
    if !session.isJSON, !hasText { Output.text((task.string("result") ?? "") + "\n") }
    TaskEnd.note(task, milliseconds: Time.monotonicMilliseconds() - spinner.began)
    return ExitCode.success
  }
}
