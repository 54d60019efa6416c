import CCurl
import MusterSystem

/// One easy handle in a multi handle of its own: sends requests one after the other and keeps their connections.
///
/// Used by one thread at a time; only `wake` may come from another one.
final class HTTPTransfer: @unchecked Sendable {
  private let transfer: OpaquePointer
  private let handle: HTTPHandle

  /// Nil when there is no memory. libcurl is loaded.
  init?(scope: NetworkPolicy.Scope) {
    guard let transfer = Inside.run({ ccurl_transfer_new() }) else { return nil }
    self.transfer = transfer
    handle = HTTPHandle(raw: ccurl_transfer_request(transfer))
    self.scope = scope
  }

  deinit {
    // While the process ends, TLS may be gone already; the kernel closes the connections.
    guard let number = ProcessExit.enter(nil) else { return }
    Inside.run { ccurl_transfer_free(transfer) }
    ProcessExit.leave(number)
  }

  /// Under which scope its connections were made: a request of another scope may not use them.
  let scope: NetworkPolicy.Scope

  /// Ends the wait of the thread that runs the request, from any thread.
  func wake() { ccurl_transfer_wake(transfer) }

  // MARK: - Running

  /// Sets everything up for a request, after `clear`; nothing is sent.
  func prepare(_ request: HTTPRequest, certificates: HTTPCertificates) throws(HTTPError) {
    try handle.prepare(request, scope: scope, certificates: certificates)
  }

  /// Sends the request that was prepared; nothing goes out before the first `step`. `stop` must follow.
  func start() throws(HTTPError) {
    let code = Inside.run { ccurl_transfer_start(transfer) }
    guard code == CURLM_OK else { throw .failed("libcurl did not take the request") }
  }

  /// Does what can be done without waiting. True when the answer is complete.
  func step(_ request: HTTPRequest) throws(HTTPError) -> Bool {
    var isDone = false
    var result = CURLE_OK
    // Inside, because OpenSSL has locks that a child forked meanwhile would find taken.
    let code = Inside.run { ccurl_transfer_step(transfer, &isDone, &result) }
    guard code == CURLM_OK else { throw .failed("libcurl failed") }
    guard isDone else { return false }
    guard result == CURLE_OK else {
      throw handle.error(result, host: HTTPURL.host(of: request.url), limit: request.maximumResponseBytes)
    }
    return true
  }

  /// Waits for the network, a wake-up, or the time to be over.
  func wait(milliseconds: Int64) throws(HTTPError) {
    guard ccurl_transfer_wait(transfer, Int32(clamping: milliseconds)) == CURLM_OK else {
      throw .failed("libcurl could not wait")
    }
  }

  /// Takes the request back; the connection of one that is not complete is closed.
  func stop() { Inside.run { ccurl_transfer_stop(transfer) } }

  /// Lets go of the request and the answer; connections stay.
  func clear() { Inside.run { ccurl_transfer_clear(transfer) } }

  /// The answer, once it is complete.
  func response() -> HTTPResponse {
    var count = 0
    let headers = Array(UnsafeBufferPointer(start: ccurl_transfer_headers(transfer, &count), count: count))
    let body = Array(UnsafeBufferPointer(start: ccurl_transfer_body(transfer, &count), count: count))
    let status = ccurl_request_long(handle.raw, CURLINFO_RESPONSE_CODE)
    return HTTPResponse(status: Int(clamping: status), headers: HTTPResponse.headers(in: headers), body: body)
  }
}
