package import MusterAPI
import MusterJSON
package import MusterSystem

/// Answers requests as the documented service does. Every function may be called from any thread and blocks until the
/// operation has ended.
package final class RESTService: Sendable {
  private let plane: ControlPlane
  private let settings: RESTSettings

  package init(plane: ControlPlane, settings: RESTSettings = RESTSettings()) {
    self.plane = plane
    self.settings = settings
  }

  /// Answers one request; whatever is wrong with it, there is an answer. `interrupt` ends the operation early.
  /// `tellsValidity`: an answer that can be given again says how long.
  package func answer(
    _ request: RESTRequest, interrupt: Interrupt? = nil, tellsValidity: Bool = false
  ) -> RESTAnswer {
    var facts = RESTAnswer.Facts()
    facts.requestID = RequestID.of(request)
    // Also when it cannot be taken apart.
    var isLimited = request.target.starts(with: "/v1".utf8)
    var answer: RESTAnswer
    do throws(Failure) {
      let destination = try RESTService.destination(of: request)
      isLimited = isLimited || destination.needsKey
      answer = try respond(request, destination, interrupt, tellsValidity, &facts)
    } catch {
      answer = .failure(error)
    }
    facts.route = facts.route ?? answer.facts.route
    answer.facts = facts
    answer.headers.append((RequestID.header, facts.requestID))
    if let limits = settings.rateLimits, isLimited { answer.add(facts.rate ?? RateState(untouched: limits)) }
    return answer
  }

  private func respond(
    _ request: RESTRequest, _ destination: Destination, _ interrupt: Interrupt?, _ tellsValidity: Bool,
    _ facts: inout RESTAnswer.Facts
  ) throws(Failure) -> RESTAnswer {
    guard destination.needsKey else {
      if let answer = OpenRoutes.answer(request.method, destination.target.segments) { return answer }
      throw .rest(404, "Not Found")
    }
    let match = destination.match
    facts.route = match?.route.pattern
    // Browsers ask without a key before they send one, and the routes are no secret.
    if request.method == "OPTIONS", let match { return .allowing(match.route.allowed, to: request.method) }
    let wanted = match?.route.target(request.method == "HEAD" ? "GET" : request.method)
    // Before anything is read: whatever is committed from here on ends the answer. A counted request is no repetition.
    var changeNumber: Int64?
    if tellsValidity, settings.rateLimits == nil, case .operation(let operation)? = wanted, operation.isFunctionOfStore
    {
      changeNumber = plane.changeNumber
    }
    var caller = try plane.authenticate(key: request.header("x-api-key"))
    caller.network = settings.network
    facts.keyID = caller.keyID
    facts.organizationID = caller.organizationID
    if let limits = settings.rateLimits {
      let rate = try plane.admit(caller, limits)
      facts.rate = rate
      if !rate.isAdmitted { throw rate.refusal }
    }
    guard let match else { throw .rest(404, "Not Found") }
    try ClientRoutes.check(match, caller)
    switch wanted {
    case nil: return .allowing(match.route.allowed, to: request.method)
    case .inactive(let name): throw .rest(501, "\(name) does nothing in this version of Muster")
    case .operation(let operation):
      facts.operation = operation.name
      let arguments = try RequestArguments.make(operation, match.parameters, destination.target.query, request)
      let text = try plane.call(operation.name, arguments, as: caller, interruption: interrupt)
      if operation.success == 204 { return RESTAnswer(status: 204) }
      var answer = RESTAnswer.json(operation.success, text)
      answer.validity = changeNumber.map { RESTAnswer.Validity(changeNumber: $0, end: caller.expiresAt) }
      return answer
    case .client(let route):
      facts.operation = route.operation.name
      let text = try route.answer(request, match, destination.target.query) { arguments throws(Failure) in
        try plane.call(route.operation.name, arguments, as: caller, interruption: interrupt)
      }
      return .json(200, text)
    }
  }

  private static func destination(of request: RESTRequest) throws(Failure) -> Destination {
    do throws(RequestTarget.Problem) {
      return try Destination(request.target)
    } catch {
      switch error {
      case .path: throw .rest(404, "Not Found")
      case .encoding: throw .rest(400, "the target has a % without two hexadecimal digits")
      case .text: throw .rest(400, "the target is not UTF-8")
      }
    }
  }
}
