package import MusterHTTP
package import MusterSystem

/// Asks models over OpenAI's chat-completions interface, which many other servers offer too.
package final class OpenAIChatClient: ModelClient {
  private let http: HTTPClient
  private let loop: HTTPLoop

  /// - Parameters:
  ///   - http: carries what `ask` asks, each on its caller's thread.
  ///   - loop: carries what `start` starts, all on its own thread.
  package init(http: HTTPClient, loop: HTTPLoop) {
    self.http = http
    self.loop = loop
  }

  package func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer {
    let response: HTTPResponse
    do {
      response = try http.perform(
        OpenAIChatClient.httpRequest(request), deadline: deadline, interrupt: interrupt, tick: tick)
    } catch {
      throw OpenAIChatClient.failure(error, request)
    }
    return try OpenAIChatDecoder.decode(response, request)
  }

  package func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall {
    let call = OpenAIChatCall(request, listener)
    do {
      call.attach(
        try loop.start(OpenAIChatClient.httpRequest(request, streamed: true), deadline: deadline, call))
    } catch {
      throw OpenAIChatClient.failure(error, request)
    }
    return call
  }

  /// The request on the wire.
  static func httpRequest(_ request: ModelRequest, streamed: Bool = false) -> HTTPRequest {
    let endpoint = request.endpoint
    var headers = [
      HTTPHeader("Content-Type", "application/json"),
      HTTPHeader("Accept", streamed ? "text/event-stream" : "application/json"),
      HTTPHeader("User-Agent", "muster/0.1.0"),
    ]
    if let key = endpoint.key { headers.append(HTTPHeader("Authorization", "Bearer \(key)")) }
    for header in endpoint.extraHeaders {
      headers.removeAll { $0.isNamed(header.name) }
      headers.append(header)
    }
    return HTTPRequest(
      method: "POST", url: endpoint.url("/chat/completions"), headers: headers,
      body: OpenAIChatEncoder.encode(request, streamed: streamed), network: request.network)
  }

  /// What an error of the transport means.
  ///
  /// - Parameter place: how far the answer had come, `after … bytes of text`; nil when it was not read before its end.
  static func failure(_ error: HTTPError, _ request: ModelRequest, _ place: String? = nil) -> ModelFailure {
    let place = place.map { " " + $0 } ?? ""
    func failure(_ kind: ModelFailure.Kind, _ what: String, isTransient: Bool = false) -> ModelFailure {
      ModelFailure(kind: kind, message: ModelText.line(request, what), isTransient: isTransient)
    }
    switch error {
    case .unavailable(let text): return failure(.notConfigured, text)
    case .invalidURL(let text): return failure(.notConfigured, text)
    case .cannotConnect(let text): return failure(.unreachable, "cannot connect: \(text)", isTransient: true)
    case .untrusted(let text): return failure(.unreachable, "the connection is not trusted: \(text)")
    case .forbidden(let host):
      return failure(
        .forbidden,
        "the network policy does not allow the address of \(host): allow it with --allow-network \(host), or with"
          + " network in the plane's configuration")
    case .broken(let text): return failure(.unreachable, "the connection broke\(place): \(text)", isTransient: true)
    case .tooLarge(let limit): return failure(.invalidAnswer, "the answer is longer than \(limit) bytes")
    case .timedOut:
      return failure(
        .timedOut, place.isEmpty ? "no answer in time" : "the answer was not whole in time, broken off\(place)")
    case .interrupted(let reason): return failure(.interrupted(reason), "interrupted")
    case .abandoned: return failure(.abandoned, "abandoned")
    case .failed(let text): return failure(.unreachable, "the request could not be sent: \(text)")
    }
  }
}
