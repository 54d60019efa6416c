import MusterHTTP
import MusterJSON
package import MusterSystem

/// A control plane elsewhere, asked over REST. From any thread, several at once.
package final class RemoteService: Sendable {
  /// Without a slash at its end.
  private let base: String
  private let key: String?
  private let host: String
  private let http: HTTPClient

  /// - Parameters:
  ///   - address: an absolute `http` or `https` URL, below which the paths of the service lie.
  ///   - key: sent as `x-api-key`, to this address alone: redirects are not followed.
  package init(address: String, key: String?, log: Log) throws(RemoteError) {
    do throws(HTTPError) {
      try HTTPURL.check(address)
    } catch {
      throw .misuse("must be an absolute http or https URL: \(HTTPURL.shown(address))")
    }
    let isPlain = address.utf8.allSatisfy { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") && $0 < 0x7f }
    guard isPlain else { throw .misuse("must have no query and no fragment: \(HTTPURL.shown(address))") }
    guard !HTTPURL.hasUserInfo(address) else {
      throw .misuse("must have no user name and password: \(HTTPURL.shown(address))")
    }
    if let key, !HTTPText.isFieldValue(key) || !key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
      throw .misuse("the API key has a blank or another character that no key has")
    }
    var trimmed = Array(address.utf8)[...]
    while trimmed.last == UInt8(ascii: "/") { trimmed = trimmed.dropLast() }
    base = String(decoding: trimmed, as: UTF8.self)
    host = HTTPURL.host(of: address)
    self.key = key
    http = HTTPClient(log: log)
    if HTTPText.hasPrefixIgnoringCase(address, "http://"), !HTTPURL.isLoopback(address) {
      log.write(.warning, "remote", "\(host) is asked over plain http: anybody on the way can read keys and answers")
    }
  }

  /// Closes the connections that are kept.
  package func close() { http.close() }

  /// Sends a call and waits for its answer. An interrupt, or the end of the time, closes the connection.
  package func send(
    _ request: RemoteRequest, deadline: Deadline, interrupt: Interrupt
  ) throws(RemoteError) -> RemoteAnswer {
    guard let target = request.target else { throw .unaddressable }
    var headers = [
      HTTPHeader("Accept", "application/json, text/event-stream"), HTTPHeader("User-Agent", "muster/0.1.0"),
    ]
    if let key { headers.append(HTTPHeader("x-api-key", key)) }
    if request.body != nil { headers.append(HTTPHeader("Content-Type", "application/json")) }
    if let key = request.idempotencyKey { headers.append(HTTPHeader("Idempotency-Key", key)) }
    let response: HTTPResponse
    do throws(HTTPError) {
      response = try http.perform(
        HTTPRequest(
          method: request.method, url: base + target, headers: headers,
          body: request.body.map { Array($0.bytes) } ?? [], mayRepeat: request.mayRepeat),
        deadline: deadline, interrupt: interrupt)
    } catch {
      throw failure(error)
    }
    return try answer(response)
  }

  private func failure(_ error: HTTPError) -> RemoteError {
    switch error {
    case .unavailable(let text): return .unavailable(text)
    case .invalidURL(let text): return .misuse(text)
    case .cannotConnect(let text): return .network("cannot connect to \(host): \(text)", isTransient: true)
    case .untrusted(let text): return .network("\(host) is not trusted: \(text)", isTransient: false)
    case .forbidden(let host): return .network("\(host) is not allowed", isTransient: false)
    case .broken(let text): return .network("the connection to \(host) broke: \(text)", isTransient: false)
    case .tooLarge(let limit): return .tooLarge(limit)
    case .timedOut: return .timedOut
    case .interrupted(let reason): return .interrupted(reason)
    case .abandoned: return .interrupted(.cancelled)
    case .failed(let text): return .network("the request to \(host) could not be sent: \(text)", isTransient: false)
    }
  }

  /// The events of a stream that has ended, as an array. What is no event in JSON, a comment for example, is left out.
  private func events(_ body: [UInt8]) -> [UInt8] {
    var writer = JSONWriter(capacity: body.count)
    writer.beginArray()
    for line in body.split(separator: UInt8(ascii: "\n")) where line.starts(with: "data: ".utf8) {
      if let event = try? JSON.parse(Array(line.dropFirst(6))) { writer.value(event) }
    }
    writer.endArray()
    return writer.bytes
  }

  private func answer(_ response: HTTPResponse) throws(RemoteError) -> RemoteAnswer {
    let status = Int32(clamping: response.status)
    switch status {
    case 200..<300:
      if response.body.isEmpty { return .success(Array(JSON.null.bytes)) }
      if HTTPText.hasPrefixIgnoringCase(response.header("Content-Type") ?? "", "text/event-stream") {
        return .success(events(response.body))
      }
      guard let value = try? JSON.parse(response.body) else {
        throw .noService("\(host) answered with something that is not JSON", httpStatus: 502)
      }
      return .success(Array(value.bytes))
    case 300..<400:
      throw .noService(
        "\(host) answered with a redirect (HTTP status \(status)), which is not followed: use the address that it leads to",
        httpStatus: 502)
    default:
      guard let document = try? JSON.parse(response.body), let detail = document["detail"] else {
        throw .noService("\(host) answered with HTTP status \(status) and no error document", httpStatus: status)
      }
      let isRetryable = response.header("Retry-After") != nil || status == 429 || status == 503
      return .failure(httpStatus: status, detail: detail, isRetryable: isRetryable)
    }
  }
}
