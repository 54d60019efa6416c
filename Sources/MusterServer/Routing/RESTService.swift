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
    let routed = route(request, tellsValidity)
    guard case .call(let call) = routed.step else { return answer(routed) }
    do throws(Failure) {
      return try answer(routed, to: call, interrupt)
    } catch {
      return answer(routed, error)
    }
  }

  /// What a request leads to: the answer, or a call that gives it. Whatever is wrong with it, there is an answer.
  func route(_ request: RESTRequest, _ tellsValidity: Bool = false) -> RoutedRequest {
    var routed = RoutedRequest(isLimited: request.target.starts(with: "/v1".utf8))
    routed.facts.requestID = RequestID.of(request)
    do throws(Failure) {
      // Also when it cannot be taken apart.
      let destination = try RESTService.destination(of: request)
      routed.isLimited = routed.isLimited || destination.needsKey
      routed.step = try step(request, destination, tellsValidity, &routed.facts)
    } catch {
      routed.step = .answer(.failure(error))
    }
    return routed
  }

  /// Calls the operation that a request leads to.
  private func answer(
    _ routed: RoutedRequest, to call: RoutedRequest.Call, _ interrupt: Interrupt?
  ) throws(Failure) -> RESTAnswer {
    let operation = call.operation
    if operation.form.isStream {
      // Without a socket it is read to its end on this thread.
      try plane.refuseWaitingForItself(operation, call.arguments, as: call.caller)
      let submission = try plane.submission(operation.name, call.arguments, as: call.caller)
      submission.run()
      // Before anything is sent, what is wrong is an answer like any other.
      if let failure = submission.failure {
        submission.close()
        throw failure
      }
      var events = RESTAnswer.eventsHead
      events.source = EventStream(submission)
      return answer(routed, events)
    }
    let text: [UInt8]
    if let route = call.client {
      text = try route { arguments throws(Failure) in
        try plane.call(operation.name, arguments, as: call.caller, interruption: interrupt)
      }
    } else {
      text = try plane.call(operation.name, call.arguments, as: call.caller, interruption: interrupt)
    }
    return answer(routed, text)
  }

  /// The submission that a request leads to; nil for a request that is answered at once.
  func submission(_ call: RoutedRequest.Call, _ interrupt: Interrupt) throws(Failure) -> Submission {
    try plane.submission(call.operation.name, call.arguments, as: call.caller, interruption: interrupt)
  }

  // MARK: - Answers

  /// The answer of the operation that a request led to.
  func answer(_ routed: RoutedRequest, _ text: [UInt8]) -> RESTAnswer {
    guard case .call(let call) = routed.step else { return answer(routed) }
    if call.client != nil { return answer(routed, .json(200, text)) }
    if call.operation.success == 204 { return answer(routed, RESTAnswer(status: 204)) }
    var answer = RESTAnswer.json(call.operation.success, text)
    answer.validity = call.changeNumber.map { RESTAnswer.Validity(changeNumber: $0, end: call.caller.expiresAt) }
    return self.answer(routed, answer)
  }

  /// The head of a stream of events.
  func eventsHead(_ routed: RoutedRequest) -> RESTAnswer { answer(routed, .eventsHead) }

  func answer(_ routed: RoutedRequest, _ failure: Failure) -> RESTAnswer { answer(routed, .failure(failure)) }

  /// The answer of a request that led to no operation.
  func answer(_ routed: RoutedRequest) -> RESTAnswer {
    guard case .answer(let answer) = routed.step else { return self.answer(routed, .rest(404, "Not Found")) }
    return self.answer(routed, answer)
  }

  private func answer(_ routed: RoutedRequest, _ given: RESTAnswer) -> RESTAnswer {
    var answer = given
    var facts = routed.facts
    facts.route = facts.route ?? answer.facts.route
    answer.facts = facts
    answer.headers.append((RequestID.header, facts.requestID))
    if let limits = settings.rateLimits, routed.isLimited { answer.add(facts.rate ?? RateState(untouched: limits)) }
    return answer
  }

  // MARK: - Routing

  private func step(
    _ request: RESTRequest, _ destination: Destination, _ tellsValidity: Bool, _ facts: inout RESTAnswer.Facts
  ) throws(Failure) -> RoutedRequest.Step {
    guard destination.needsKey else {
      if let answer = OpenRoutes.answer(request.method, destination.target.segments) { return .answer(answer) }
      throw .rest(404, "Not Found")
    }
    let match = destination.match
    facts.route = match?.route.pattern
    // Browsers ask without a key before they send one, and the routes are no secret.
    if request.method == "OPTIONS", let match { return .answer(.allowing(match.route.allowed, to: request.method)) }
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
    case nil: return .answer(.allowing(match.route.allowed, to: request.method))
    case .inactive(let name): throw .rest(501, "\(name) does nothing in this version of Muster")
    case .operation(let operation):
      facts.operation = operation.name
      let arguments = try RequestArguments.make(operation, match.parameters, destination.target.query, request)
      return .call(
        RoutedRequest.Call(
          operation: operation, arguments: arguments, caller: caller, changeNumber: changeNumber, client: nil))
    case .client(let route):
      facts.operation = route.operation.name
      let query = destination.target.query
      let isStream = route.operation.form.isStream
      return .call(
        RoutedRequest.Call(
          operation: route.operation, arguments: isStream ? try route.arguments(request, match) : Arguments(),
          caller: caller, changeNumber: nil,
          client: isStream ? nil : { call throws(Failure) in try route.answer(request, match, query, call) }))
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
