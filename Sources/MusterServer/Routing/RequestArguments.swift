import MusterAPI
import MusterJSON

/// Makes the arguments of an operation from a request.
enum RequestArguments {
  static func make(
    _ operation: Operation, _ path: [(name: String, value: String)], _ query: [RequestTarget.Parameter],
    _ request: RESTRequest
  ) throws(Failure) -> Arguments {
    var arguments = Arguments()
    for parameter in path { arguments.parameters.append((parameter.name, .string(parameter.value))) }
    if !query.isEmpty {
      for parameter in operation.parameters where parameter.location == .query {
        // Of several with one name the last counts, as in the documented service.
        guard let given = query.last(where: { $0.name == parameter.name }) else { continue }
        arguments.parameters.append((parameter.name, parameter.value(of: given.value)))
      }
    }
    // Readers of events send the id of the last one when they come back; what the target says counts more.
    if operation.form == .events, let last = request.header("last-event-id"),
      !arguments.parameters.contains(where: { $0.name == "after" })
    {
      arguments.parameters.append(("after", .string(last)))
    }
    if operation.body != nil, !request.body.isEmpty {
      do throws(JSONError) {
        arguments.body = try JSON.parse(request.body)
      } catch {
        // Too deep or too long is no mistake of grammar.
        if error.kind == .limit { throw Failure(error, in: "body") }
        throw .body(error)
      }
    }
    // Other methods can be repeated as they are: there the header says nothing.
    if request.method == "POST", let key = request.header("idempotency-key") {
      guard Arguments.canBeIdempotencyKey(key) else { throw .header("Idempotency-Key") }
      arguments.idempotencyKey = key
    }
    return arguments
  }
}
