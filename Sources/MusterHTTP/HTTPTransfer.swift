import CCurl
import MusterSystem

/// One easy handle in a multi handle of its own: sends requests one after the other and keeps their connections.
///
/// Used by one thread at a time; only `wake` may come from another one.
final class HTTPTransfer: @unchecked Sendable {
  private let transfer: OpaquePointer

  /// Nil when there is no memory. libcurl is loaded.
  init?(scope: NetworkPolicy.Scope) {
    guard let transfer = Inside.run({ ccurl_transfer_new() }) else { return nil }
    self.transfer = transfer
    self.scope = scope
  }

  deinit {
    // While the process ends, TLS may be gone already; the kernel closes the connections.
    guard let number = ProcessExit.enter(nil) else { return }
    Inside.run { ccurl_transfer_free(transfer) }
    ProcessExit.leave(number)
  }

  /// The header lines of an answer are at most this many bytes.
  private static let headersLimit = 1_048_576

  /// Under which scope its connections were made: a request of another scope may not use them.
  let scope: NetworkPolicy.Scope

  /// Ends the wait of the thread that runs the request, from any thread.
  func wake() { ccurl_transfer_wake(transfer) }

  // MARK: - The request

  /// Sets everything up for a request, after `clear`; nothing is sent.
  func prepare(_ request: HTTPRequest, certificates: HTTPCertificates) throws(HTTPError) {
    try HTTPURL.check(request.url)
    ccurl_transfer_limit(transfer, max(request.maximumResponseBytes, 0), HTTPTransfer.headersLimit)
    try set(CURLOPT_URL, request.url)
    try set(CURLOPT_PROTOCOLS, ccurl_protocols_http_and_https)
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_FOLLOWLOCATION, 0)
    try set(CURLOPT_HTTP_VERSION, Int64(CURL_HTTP_VERSION_1_1))
    try set(CURLOPT_TCP_KEEPALIVE, 1)
    try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    try set(CURLOPT_CONNECTTIMEOUT_MS, max(request.connectTimeoutMilliseconds, 1))
    try set(CURLOPT_MAXFILESIZE_LARGE, Int64(max(request.maximumResponseBytes, 1)))
    if let file = certificates.file { try set(CURLOPT_CAINFO, file) }
    if let folder = certificates.folder { try set(CURLOPT_CAPATH, folder) }
    try set(CURLOPT_PATH_AS_IS, 1)
    if !request.mayRepeat { try set(CURLOPT_FRESH_CONNECT, 1) }
    try prepareScope()
    try prepareMethod(request)
    try prepareHeaders(request)
  }

  private func prepareScope() throws(HTTPError) {
    guard case .restricted(let allowances) = scope else { return }
    // A proxy would make the connection in our place, where nothing is checked.
    try set(CURLOPT_PROXY, "")
    ccurl_transfer_restrict(
      transfer,
      { address, allowances in
        NetworkAddress(high: address.high, low: address.low).isAllowed(by: NetworkAllowances(rawValue: allowances))
      }, allowances.rawValue)
  }

  private func prepareMethod(_ request: HTTPRequest) throws(HTTPError) {
    guard HTTPText.isToken(request.method) else { throw .failed("the method of the request is not a word") }
    switch request.method {
    case "GET" where request.body.isEmpty: try set(CURLOPT_HTTPGET, 1)
    case "HEAD" where request.body.isEmpty: try set(CURLOPT_NOBODY, 1)
    case "POST":
      try set(CURLOPT_POST, 1)
      try check(ccurl_transfer_set_body(transfer, request.body, request.body.count))
    default:
      if !request.body.isEmpty { try check(ccurl_transfer_set_body(transfer, request.body, request.body.count)) }
      try set(CURLOPT_CUSTOMREQUEST, request.method)
    }
  }

  private func prepareHeaders(_ request: HTTPRequest) throws(HTTPError) {
    for header in request.headers {
      if let problem = header.problem { throw .failed(problem) }
      // Curl's own notation: a name with a semicolon is a header without a value, one with a colon alone removes a
      // header.
      let isBlank = header.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      try addHeader(isBlank ? "\(header.name);" : "\(header.name): \(header.value)")
    }
    try addHeader("Expect:")
    let hasBody = request.method == "POST" || !request.body.isEmpty
    if hasBody, !request.headers.contains(where: { $0.isNamed("Content-Type") }) { try addHeader("Content-Type:") }
  }

  private func addHeader(_ line: String) throws(HTTPError) {
    guard ccurl_transfer_add_header(transfer, line) else { throw .failed("out of memory") }
  }

  private func set(_ option: CURLoption, _ value: Int64) throws(HTTPError) {
    try check(ccurl_transfer_set_long(transfer, option, value))
  }

  private func set(_ option: CURLoption, _ text: String) throws(HTTPError) {
    try check(ccurl_transfer_set_text(transfer, option, text))
  }

  private func check(_ code: CURLcode) throws(HTTPError) {
    guard code == CURLE_OK else { throw .failed(message(code)) }
  }

  // MARK: - Running

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
    guard result == CURLE_OK else { throw error(result, request) }
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
    let status = ccurl_transfer_long(transfer, CURLINFO_RESPONSE_CODE)
    return HTTPResponse(status: Int(clamping: status), headers: HTTPResponse.headers(in: headers), body: body)
  }

  // MARK: - Errors

  private func message(_ code: CURLcode) -> String {
    let text = String(cString: ccurl_transfer_message(transfer, code))
    let line = text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }
    return HTTPText.withoutUserInfo(String(decoding: line, as: UTF8.self))
  }

  private func error(_ code: CURLcode, _ request: HTTPRequest) -> HTTPError {
    if ccurl_transfer_is_over_limit(transfer) { return .tooLarge(request.maximumResponseBytes) }
    let wasConnected = ccurl_transfer_was_connected(transfer)
    if !wasConnected, ccurl_transfer_is_refused(transfer) { return .forbidden(HTTPURL.host(of: request.url)) }
    switch code {
    case CURLE_FILESIZE_EXCEEDED: return .tooLarge(request.maximumResponseBytes)
    case CURLE_URL_MALFORMAT: return .invalidURL(message(code))
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
      CURLE_SSL_INVALIDCERTSTATUS:
      return .untrusted(message(code))
    case CURLE_OUT_OF_MEMORY, CURLE_WRITE_ERROR: return .failed("out of memory")
    case CURLE_BAD_FUNCTION_ARGUMENT, CURLE_UNKNOWN_OPTION, CURLE_NOT_BUILT_IN, CURLE_FAILED_INIT:
      return .failed(message(code))
    default: return wasConnected ? .broken(message(code)) : .cannotConnect(message(code))
    }
  }
}
