package import MusterAPI
import MusterJSON
package import MusterSystem

/// Answers requests as the documented service does. Every function may be called from any thread and blocks until the
/// operation has ended.
package final class RESTService: Sendable {
  private let plane: ControlPlane
  private let settings: RESTSettings

  private static let routes = Routes(
    OperationTable.all,
    inactive: [
      ("POST", "/v1/agents/{agent_id}/invoke/async", "invoke/async"),
      ("POST", "/v1/agents/{agent_id}/invoke/stream", "invoke/stream"),
    ])

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
    var answer: RESTAnswer
    do throws(Failure) {
      answer = try respond(request, interrupt, tellsValidity, &facts)
    } catch {
      answer = .failure(error)
    }
    facts.route = facts.route ?? answer.facts.route
    answer.facts = facts
    answer.headers.append((RequestID.header, facts.requestID))
    if let limits = settings.rateLimits, request.isLimited { answer.add(facts.rate ?? RateState(untouched: limits)) }
    return answer
  }

  private func respond(
    _ request: RESTRequest, _ interrupt: Interrupt?, _ tellsValidity: Bool, _ facts: inout RESTAnswer.Facts
  ) throws(Failure) -> RESTAnswer {
    let target: RequestTarget
    do throws(RequestTarget.Problem) {
      target = try RequestTarget(request.target)
    } catch {
      throw RESTService.refused(error)
    }
    if let answer = OpenRoutes.answer(request.method, target.segments) { return answer }
    guard target.segments.first == "v1" else { throw .rest(404, "Not Found") }
    let match = RESTService.routes.match(target.segments)
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
    switch wanted {
    case nil: return .allowing(match.route.allowed, to: request.method)
    case .inactive(let name): throw .rest(501, "\(name) does nothing in this version of Muster")
    case .operation(let operation):
      facts.operation = operation.name
      let arguments = try RequestArguments.make(operation, match.parameters, target.query, request)
      let text = try plane.call(operation.name, arguments, as: caller, interruption: interrupt)
      if operation.success == 204 { return RESTAnswer(status: 204) }
      var answer = RESTAnswer.json(operation.success, text)
      answer.validity = changeNumber.map { RESTAnswer.Validity(changeNumber: $0, end: caller.expiresAt) }
      return answer
    }
  }

  private static func refused(_ problem: RequestTarget.Problem) -> Failure {
    switch problem {
    case .path: return .rest(404, "Not Found")
    case .encoding: return .rest(400, "the target has a % without two hexadecimal digits")
    case .text: return .rest(400, "the target is not UTF-8")
    }
  }
}
