import MusterHTTP
import MusterJSON
import MusterStore
import MusterSystem

/// A checked call on its way to its handler.
struct OperationCall {
  let plane: ControlPlane
  let operation: Operation
  let caller: Caller
  private let parameters: [(name: String, value: JSON)]
  /// The body with its defaults; null when there is none, or when the handler takes it apart.
  let body: JSON
  /// The body taken apart, if the operation is declared so.
  let filling: JSONFilling?
  let deadline: Deadline
  let interrupt: Interrupt
  /// The key by which repetitions of the call are known.
  let idempotency: IdempotencyKey?
  private let itemsPerPage: Int64?

  /// How deep a body may be: an answer that carries it in a list is two levels deeper and has to stay within what the
  /// library reads itself.
  private static let bodyDepth = JSONLimits.request.depth - 2

  /// Checks the arguments against the operation's declaration, and fills in the defaults.
  init(
    _ operation: Operation, _ arguments: Arguments, plane: ControlPlane, caller: Caller, deadline: Deadline,
    interrupt: Interrupt
  ) throws(Failure) {
    self.plane = plane
    self.operation = operation
    self.caller = caller
    self.deadline = deadline
    self.interrupt = interrupt
    itemsPerPage = arguments.itemsPerPage
    var problems: [Failure.Problem] = []
    parameters = OperationCall.check(operation.parameters, arguments, &problems)
    var body = JSON.null
    var filling: JSONFilling?
    if let declared = operation.body {
      if let given = arguments.body, !given.isNull {
        if given.isDeeper(than: OperationCall.bodyDepth) {
          throw Failure(.limit, "the body is nested deeper than \(OperationCall.bodyDepth) levels")
        }
        filling = declared.form?.filling(of: given)
        if let filling {
          if !declared.isTakenApart { body = filling.json }
        } else {
          body = OperationCall.check(given, declared, &problems)
          if declared.isTakenApart, problems.isEmpty { filling = declared.form?.filling(ofFilled: body) }
        }
      } else {
        problems.append(OperationCall.missingBody)
      }
    }
    self.body = body
    self.filling = filling
    if !problems.isEmpty { throw .validation(problems) }
    idempotency = try arguments.idempotency(of: operation, for: caller)
  }

  /// The values of the parameters with their defaults; adds what is wrong with them to the problems.
  private static func check(
    _ parameters: [Operation.Parameter], _ arguments: Arguments, _ problems: inout [Failure.Problem]
  ) -> [(name: String, value: JSON)] {
    var checked: [(name: String, value: JSON)] = []
    for parameter in parameters {
      let given = arguments.parameters.first { $0.name == parameter.name && !$0.value.isNull }
      guard let value = given?.value ?? parameter.schema?.root.defaultValue else {
        if parameter.isRequired {
          problems.append(
            .init(
              location: [.key(parameter.location.rawValue), .key(parameter.name)], message: "field required",
              type: "value_error.missing"))
        }
        continue
      }
      let violations = parameter.schema?.violations(of: value, limit: 1) ?? []
      for violation in violations {
        problems.append(
          .init(
            location: [.key(parameter.location.rawValue), .key(parameter.name)] + violation.path,
            message: violation.message, type: violation.type))
      }
      checked.append((parameter.name, value))
    }
    return checked
  }

  /// Refuses arguments whose parameters do not match the operation's declaration; what is wrong with the body is then
  /// named as well. Of a call that goes elsewhere the body is checked there.
  static func checkParameters(of operation: Operation, in arguments: Arguments) throws(Failure) {
    var problems: [Failure.Problem] = []
    _ = check(operation.parameters, arguments, &problems)
    if problems.isEmpty { return }
    if let declared = operation.body {
      if let body = arguments.body, !body.isNull {
        _ = check(body, declared, &problems)
      } else {
        problems.append(missingBody)
      }
    }
    throw .validation(problems)
  }

  private static let missingBody = Failure.Problem(
    location: [.key("body")], message: "field required", type: "value_error.missing")

  /// The body with its defaults; adds what is wrong with it to the problems.
  private static func check(
    _ body: JSON, _ declared: Operation.Body, _ problems: inout [Failure.Problem]
  ) -> JSON {
    guard let schema = declared.schema else { return body }
    let filled = schema.applyingDefaults(to: body)
    for violation in schema.violations(of: filled, limit: 20) {
      problems.append(
        .init(location: [.key("body")] + violation.path, message: violation.message, type: violation.type))
    }
    return filled
  }

  // MARK: - Parameters

  func string(_ name: String) -> String? { value(name)?.string }

  func integer(_ name: String) -> Int64? { value(name)?.int64 }

  func flag(_ name: String) -> Bool { value(name)?.bool ?? false }

  private func value(_ name: String) -> JSON? { parameters.first { $0.name == name }?.value }

  /// The organization that every read and write of this call is for.
  var organizationID: String { caller.organizationID }

  /// Which addresses of models that others than the plane chose may be asked.
  var network: NetworkPolicy { caller.network }

  var agentID: String { string("agent_id") ?? "" }
  var taskID: String { string("task_id") ?? "" }

  var page: Int64 { integer("page") ?? 1 }
  var perPage: Int64 { itemsPerPage ?? integer("per_page") ?? 20 }

  /// Runs store work, with its errors as failures.
  func store<Value>(_ body: () throws(StoreError) -> Value) throws(Failure) -> Value {
    do throws(StoreError) {
      return try body()
    } catch {
      throw Failure(error)
    }
  }
}
