import MusterAPI
import MusterJSON

/// A route of the official Python client's own surface: the operation behind it, and what it makes of request and answer.
struct ClientRoute: Sendable {
  /// How it differs from the operation's own route.
  enum Form: Sendable {
    /// It gives what the operation gives.
    case same
    /// The same, of the version that the header `x-agent-version` names.
    case run
    /// An agent as the client can read it.
    case agent
    /// A bare array of all items (`ClientList`), narrowed by the parameters with these names.
    case list(filters: [String])
  }

  let method: String
  let path: String
  let operation: Operation
  let form: Form

  /// Nil when there is no such operation.
  init?(_ method: String, _ path: String, _ operation: String, _ form: Form = .same) {
    guard let operation = OperationTable.operation(operation) else { return nil }
    self.method = method
    self.path = path
    self.operation = operation
    self.form = form
  }

  /// The answer to a request; `call` calls the operation.
  func answer(
    _ request: RESTRequest, _ match: Routes.Match, _ query: [RequestTarget.Parameter],
    _ call: (Arguments) throws(Failure) -> [UInt8]
  ) throws(Failure) -> [UInt8] {
    func arguments(_ query: [RequestTarget.Parameter]) throws(Failure) -> Arguments {
      try self.arguments(request, match, query)
    }
    switch form {
    case .same: return try call(try arguments([]))
    case .run:
      let version = try ClientRoute.version(request)
      return try call(try arguments(version.map { [.init(name: "version", value: $0)] } ?? []))
    case .agent:
      let version = try ClientRoute.version(request)
      return try ClientRoute.agent(JSON.trusted(try call(try arguments([]))), version)
    case .list(let filters):
      // What is empty was not given: the client sends it for `None`.
      return try ClientList().text(
        try arguments(query.filter { filters.contains($0.name) && !$0.value.isEmpty }), call)
    }
  }

  /// The arguments of the operation, with those parameters of the query.
  func arguments(
    _ request: RESTRequest, _ match: Routes.Match, _ query: [RequestTarget.Parameter] = []
  ) throws(Failure) -> Arguments {
    let owner = operation.parameters.first { $0.location == .path }?.name ?? ""
    let parameters = match.parameters.compactMap { parameter -> (name: String, value: String)? in
      switch parameter.name {
      case ClientRoutes.organization: return nil
      case ClientRoutes.agentOrTask: return (owner, parameter.value)
      default: return parameter
      }
    }
    return try RequestArguments.make(operation, parameters, query, request)
  }

  /// The version that the client asks for: a number in decimal, or `draft`; nil when it leaves that open.
  private static func version(_ request: RESTRequest) throws(Failure) -> String? {
    guard let text = request.header("x-agent-version"), !text.isEmpty else { return nil }
    if text == "draft" { return text }
    guard let number = Int64(text), number >= 0 else {
      throw .header("x-agent-version", "value is not a version number or draft", type: "value_error.version")
    }
    return "\(number)"
  }

  /// The client refuses `environment_id` when it is null, and would take a mask for a credential.
  private static func agent(_ agent: JSON, _ version: String?) throws(Failure) -> [UInt8] {
    // The working copy is what can be read; it stands for the version that it was deployed as or departs from.
    if let version, version != "draft", agent["version"]?.int64.map({ "\($0)" }) != version {
      throw .rest(404, "Agent version not found")
    }
    var writer = JSONWriter(capacity: agent.bytes.count)
    writer.beginObject()
    for member in agent.members {
      if member.value.isNull, member.lexeme.isString("environment_id") { continue }
      writer.key(member.lexeme)
      writer.value(member.lexeme.isString("llm_credentials") ? .null : member.value)
    }
    writer.endObject()
    return writer.bytes
  }
}
