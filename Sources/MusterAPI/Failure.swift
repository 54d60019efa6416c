package import MusterJSON
import MusterRemote
import MusterRuns
import MusterStore
import MusterSystem

/// What a call answers when it fails. Every other error of the library is mapped to this one, here.
package struct Failure: Error, Sendable {
  package let status: Status
  package let httpStatus: Int32
  /// One line for people.
  package let message: String
  /// The error document as REST sends it: an object with the single key `detail`.
  package let document: JSON
  /// Whether the same call may succeed later.
  package let isRetryable: Bool
  /// Whether nothing was done because another call had used the same idempotency key.
  let isRepetition: Bool

  private init(
    _ status: Status, httpStatus: Int32, message: String, detail: JSON, isRetryable: Bool, isRepetition: Bool = false
  ) {
    self.status = status
    self.httpStatus = httpStatus
    self.message = Failure.oneLine(message)
    self.isRetryable = isRetryable
    self.isRepetition = isRepetition
    var writer = JSONWriter(capacity: detail.bytes.count + 12)
    writer.beginObject()
    writer.member("detail", detail)
    writer.endObject()
    document = writer.json
  }

  /// Names and keys of the caller, which may hold line breaks, stand in messages.
  private static func oneLine(_ message: String) -> String {
    String(decoding: message.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self)
  }

  package init(_ status: Status, _ message: String) {
    self.init(
      status, httpStatus: status.httpStatus, message: message, detail: .string(message), isRetryable: status == .busy)
  }

  /// An answer of the control plane.
  static func api(_ httpStatus: Int32, _ message: String) -> Failure {
    Failure(.api, httpStatus: httpStatus, message: message, detail: .string(message), isRetryable: false)
  }

  /// An answer of the REST service to a request that reaches no operation.
  package static func rest(_ httpStatus: Int32, _ message: String) -> Failure { api(httpStatus, message) }

  /// A call that ended with its task.
  private static func ended(_ status: Status, _ message: String, taskID: String?) -> Failure {
    guard let taskID else { return Failure(status, message) }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("message", message)
    writer.member("task_id", taskID)
    writer.endObject()
    return Failure(
      status, httpStatus: status.httpStatus, message: "\(message) (task \(taskID))", detail: writer.json,
      isRetryable: false)
  }

  /// What a remote service answered: its HTTP status and its `detail` are kept.
  static func remote(_ httpStatus: Int32, detail: JSON, isRetryable: Bool) -> Failure {
    let status: Status
    switch httpStatus {
    case 413: status = .limit
    case 499: status = .cancelled
    case 502: status = .network
    case 503: status = .busy
    case 504: status = .timeout
    default: status = .api
    }
    return Failure(
      status, httpStatus: httpStatus, message: message(of: detail), detail: detail, isRetryable: isRetryable)
  }

  /// One line for people, of an error as a service wrote it.
  private static func message(of detail: JSON) -> String {
    if let text = detail.string { return text }
    if let problem = detail.elements.first, let message = problem["msg"]?.string {
      let place = (problem["loc"]?.elements ?? []).map { $0.string ?? String(decoding: $0.bytes, as: UTF8.self) }
      return "\(place.joined(separator: ".")): \(message)"
    }
    if let message = detail["message"]?.string {
      return detail["task_id"]?.string.map { "\(message) (task \($0))" } ?? message
    }
    return String(decoding: detail.bytes.prefix(1000), as: UTF8.self)
  }

  init(_ error: RemoteError) {
    switch error {
    case .misuse(let text): self.init(.misuse, text)
    case .unavailable(let text): self.init(.unsupported, text)
    case .unaddressable: self = .api(404, "Not Found")
    case .network(let text, let isTransient):
      self.init(
        .network, httpStatus: Status.network.httpStatus, message: text, detail: .string(text), isRetryable: isTransient)
    case .noService(let text, let httpStatus):
      self.init(.network, httpStatus: httpStatus, message: text, detail: .string(text), isRetryable: false)
    case .tooLarge(let limit): self.init(.limit, "the answer of the service is longer than \(limit) bytes")
    case .timedOut: self.init(.timeout, "the time of the call ran out")
    case .interrupted(.closing): self.init(.closed, "the plane was closed")
    case .interrupted: self.init(.cancelled, "the call was cancelled")
    }
  }

  // MARK: - Validation

  /// One thing that is wrong with a request.
  struct Problem {
    let location: [JSONPathElement]
    let message: String
    let type: String
  }

  /// 422 with the places that are wrong.
  static func validation(_ problems: [Problem]) -> Failure {
    var writer = JSONWriter()
    writer.beginArray()
    for problem in problems {
      writer.beginObject()
      writer.key("loc")
      writer.beginArray()
      for element in problem.location {
        switch element {
        case .key(let key): writer.value(key)
        case .index(let index): writer.value(Int64(index))
        }
      }
      writer.endArray()
      writer.member("msg", problem.message)
      writer.member("type", problem.type)
      writer.endObject()
    }
    writer.endArray()
    let first = problems.first.map { problem in
      let place = problem.location.map { element in
        switch element {
        case .key(let key): return key
        case .index(let index): return "\(index)"
        }
      }
      return "\(place.joined(separator: ".")): \(problem.message)"
    }
    return Failure(
      .api, httpStatus: 422, message: first ?? "validation error", detail: writer.json, isRetryable: false)
  }

  /// 422 with one place that is wrong.
  static func validation(_ location: [JSONPathElement], _ message: String, type: String) -> Failure {
    validation([Problem(location: location, message: message, type: type)])
  }

  /// 422 for a request body that is not JSON, with the byte where it goes wrong.
  package static func body(_ error: JSONError) -> Failure {
    validation(
      [.key("body"), .index(error.position)], "\(error.message): line \(error.line) column \(error.column)",
      type: "value_error.jsondecode")
  }

  /// 422 for a header whose value cannot be used.
  package static func header(
    _ name: String, _ problem: String = "a text of 1 to 255 bytes without control characters",
    type: String = "value_error.str"
  ) -> Failure {
    validation([.key("header"), .key(name)], problem, type: type)
  }

  // MARK: - Errors of the rooms below

  /// A text that is not JSON as we take it; `what` names the text.
  package init(_ error: JSONError, in what: String) {
    let status: Status
    switch error.kind {
    case .syntax: status = .json
    case .utf8: status = .utf8
    case .limit: status = .limit
    }
    self.init(status, "\(what): \(error.description)")
  }

  init(_ error: StoreError) {
    switch error {
    case .busy: self.init(.busy, error.message)
    case .closed: self.init(.closed, error.message)
    case .forked: self.init(.forked, error.message)
    case .repeated:
      self.init(
        .api, httpStatus: 409, message: error.message, detail: .string(error.message), isRetryable: true,
        isRepetition: true)
    default: self.init(.store, error.message)
    }
  }

  init(_ error: RunError) {
    switch error {
    case .store(let error): self.init(error)
    case .timedOut(let task): self = .ended(.timeout, "the time of the call ran out", taskID: task)
    case .interrupted(.cancelled, let task): self = .ended(.cancelled, "the call was cancelled", taskID: task)
    case .interrupted(.closing, let task): self = .ended(.closed, "the plane was closed", taskID: task)
    case .interrupted(.stopped, let task), .interrupted(.unneeded, let task):
      self = .ended(.cancelled, "the task was stopped", taskID: task)
    case .deleted: self = .api(404, "Task not found")
    case .agentDeleted: self = .api(404, "Agent not found")
    case .agentChanged: self = Failure(.busy, "the agent was changed while the run began")
    case .otherAgent: self = .api(409, "Task belongs to another agent")
    case .busy: self = .api(409, "the thread has a turn under way")
    case .toolMissing(let name):
      self = .api(400, "the agent's tool \(name) is not registered with this plane")
    case .notRunnable(let why): self = .api(400, "The agent cannot be run: \(why)")
    case .tooMany(let most):
      self.init(
        .busy,
        most > 0 ? "\(most) runs are under way: limits.runs of the plane allows no more" : "no thread for the run")
    case .unreadable(let what): self.init(.store, "the journal cannot be read: \(what)")
    }
  }
}
