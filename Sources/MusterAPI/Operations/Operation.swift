package import MusterJSON

/// One operation of the control plane: the single declaration from which C, Python, REST and the command line get it.
///
/// One object that all calls share: what is called often is not copied.
package final class Operation: Sendable {
  /// Where a parameter stands in a REST request.
  package enum Location: String, Sendable {
    case path, query
  }

  /// A path or query parameter.
  package struct Parameter: Sendable {
    package let name: String
    package let location: Location
    package let summary: String
    /// Its JSON Schema, as text.
    let schemaText: String
    /// Nil only if the text is no schema, which a test excludes.
    let schema: JSONSchema?
    /// The types that its schema allows, in its order.
    private let types: [String]

    init(_ name: String, _ location: Location, _ summary: String, _ schemaText: String) {
      self.name = name
      self.location = location
      self.summary = summary
      self.schemaText = schemaText
      schema = SchemaCatalogue.compile(.trusted(Array(schemaText.utf8)))
      let type = JSON.trusted(Array(schemaText.utf8))["type"]
      types = type?.string.map { [$0] } ?? type?.elements.compactMap { $0.string } ?? []
    }

    var isRequired: Bool { location == .path }

    /// The value that a text stands for, as the schema wants it; a text that is no such value stays a text, and is
    /// refused where the arguments are checked.
    package func value(of text: String) -> JSON {
      for type in types {
        switch type {
        case "integer":
          if let number = Int64(text), text.utf8.first != UInt8(ascii: "+") { return .integer(number) }
        case "boolean":
          // The words that the documented service takes.
          switch text.lowercased() {
          case "true", "1", "yes", "on", "t", "y": return .boolean(true)
          case "false", "0", "no", "off", "f", "n": return .boolean(false)
          default: break
          }
        case "string": return .string(text)
        default: break
        }
      }
      return .string(text)
    }
  }

  /// The request body: a JSON object that matches a component. Defaults of its schema are filled in before the handler gets it.
  package struct Body: Sendable {
    let schemaName: String
    /// Nil only if the component is no schema, which a test excludes.
    let schema: JSONSchema?
    /// The schema made ready for bodies that are right. Nil only if it refuses unknown keys, or is no plain object, which a
    /// test excludes.
    let form: JSONSchemaForm?
    /// Whether the handler takes the body apart by itself: then it is not written anew with its defaults.
    let isTakenApart: Bool
    /// A small body that is right, as JSON text, for people.
    let example: String?

    init(_ schemaName: String, isTakenApart: Bool = false, example: String? = nil) {
      self.schemaName = schemaName
      self.isTakenApart = isTakenApart
      self.example = example
      schema = SchemaCatalogue.compiled(schemaName)
      form = schema.flatMap { JSONSchemaForm($0) }
    }
  }

  /// What a caller must be allowed to do for an operation.
  package enum Access: String, Sendable {
    /// To read.
    case read
    /// To change what belongs to the one agent that the arguments name, or whose task they name.
    case change
    /// To make or remove agents, or to change what belongs to many: not for keys that are limited to some agents.
    case administer
    /// To manage API keys.
    case manageKeys = "manage_keys"
    /// To be the host itself: the operation touches the machine.
    case host
  }

  package let name: String
  package let method: String
  /// Empty for an operation that only the host can call.
  package let path: String
  package let summary: String
  package let parameters: [Parameter]
  package let body: Body?
  /// The component of the answer; nil when it has none.
  package let answer: String?
  /// The HTTP status of success.
  package let success: Int32
  /// How calls are repeated that carry an idempotency key.
  package let repetition: Repetition
  /// The version of Muster that brought it.
  package let since: String
  /// What its caller must be allowed to do.
  package let access: Access
  /// Whether the documented service does not have it.
  package let isExtension: Bool
  /// Whether its answer depends on its arguments, its caller and what is committed to the store alone, and calling it
  /// leaves no trace: while nothing is committed, the same call has the same answer.
  package let isFunctionOfStore: Bool
  /// Whether its path names an agent, or a task.
  let namesAgent: Bool
  let namesTask: Bool
  /// Whether its body names the task to continue and the one above it.
  let namesTasksInBody: Bool
  /// The HTTP statuses of its own failures, beyond those that its form brings with it.
  package let failures: [Int32]
  /// What it gives, and when.
  package let form: Form
  let handler: @Sendable (OperationCall) throws(Failure) -> Answer

  /// How an operation answers.
  package enum Form: Sendable {
    /// With one answer, when it is done.
    case answer
    /// With the task that it runs, once that has ended.
    case run
    /// With the task that it runs, once that was accepted.
    case acceptance
    /// With the events of the task that it runs.
    case runEvents
    /// With the events of a task.
    case events

    /// Whether it gives events instead of an answer.
    package var isStream: Bool {
      switch self {
      case .answer, .run, .acceptance: return false
      case .runEvents, .events: return true
      }
    }
  }

  /// What a call with an idempotency key means.
  package enum Repetition: Sendable {
    /// Calling it again does no harm: a key is not needed.
    case natural
    /// The key is remembered with the effect: the handler gives the store `OperationCall.remembering(_:answer:)`.
    case remembered
    /// Its answer is stored nowhere, so it cannot be given again.
    case refused
  }

  /// What a handler gives.
  package enum Answer: Sendable {
    case none
    case json([UInt8])
  }

  /// `access`: nil takes the narrowest that fits method and path, see `access(_:_:_:)`.
  init(
    _ name: String, _ method: String, _ path: String, _ summary: String, parameters: [Parameter] = [],
    body: Body? = nil, answer: String?, success: Int32 = 200, since: String = "0.1.0", access: Access? = nil,
    isExtension: Bool = false, isFunctionOfStore: Bool = false, failures: [Int32] = [],
    repetition: Repetition = .natural, form: Form = .answer,
    handler: @escaping @Sendable (OperationCall) throws(Failure) -> Answer
  ) {
    self.name = name
    self.method = method
    self.path = path
    self.summary = summary
    self.parameters = parameters
    self.body = body
    self.answer = answer
    self.success = success
    self.repetition = repetition
    self.since = since
    self.access = access ?? Operation.access(method, path, parameters)
    self.isExtension = isExtension
    self.isFunctionOfStore = isFunctionOfStore
    namesAgent = parameters.contains { $0.name == "agent_id" && $0.location == .path }
    namesTask = parameters.contains { $0.name == "task_id" && $0.location == .path }
    namesTasksInBody = body?.schemaName == "InvokeAgent"
    self.failures = failures
    self.form = form
    self.handler = handler
  }

  /// What an operation needs that does not say so: who changes something without naming an agent or a task may change
  /// what belongs to others.
  private static func access(_ method: String, _ path: String, _ parameters: [Parameter]) -> Access {
    if path.isEmpty { return .host }
    if method == "GET" { return .read }
    let namesOwner = parameters.contains {
      $0.location == .path && ($0.name == "agent_id" || $0.name == "task_id")
    }
    return namesOwner ? .change : .administer
  }
}

extension Operation.Parameter {
  /// `page` and `per_page` of every list.
  static let paging: [Operation.Parameter] = [
    .init("page", .query, "The page, from 1.", #"{"type":"integer","minimum":1,"default":1}"#),
    .init(
      "per_page", .query, "Items a page, at most 50.", #"{"type":"integer","minimum":1,"maximum":50,"default":20}"#),
  ]

  static let version = Operation.Parameter(
    "version", .query, "The version to run: a number, or draft for the working copy; the deployed one by default.",
    #"{"type":["string","integer"]}"#)
  static let onBusy = Operation.Parameter(
    "on_busy", .query,
    "What happens when the thread has a turn under way: enqueue waits for it, reject answers 409, replace stops it and"
      + " drops those that wait.",
    #"{"type":"string","enum":["enqueue","reject","replace"],"default":"enqueue"}"#)
  static let agentID = Operation.Parameter("agent_id", .path, "The agent's id.", #"{"type":"string","minLength":1}"#)
  static let taskID = Operation.Parameter(
    "task_id", .path, "The task's id, which is also its thread's.", #"{"type":"string","minLength":1,"maxLength":255}"#)
}
