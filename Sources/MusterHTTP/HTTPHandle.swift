import CCurl

/// A request in curl's hands: how it is set up, and what its end means. Owned by whoever sends it.
struct HTTPHandle {
  let raw: OpaquePointer

  /// The header lines of an answer are at most this many bytes.
  private static let headersLimit = 1_048_576

  // MARK: - The request

  /// Sets everything up for a request; nothing is sent.
  func prepare(
    _ request: HTTPRequest, scope: NetworkPolicy.Scope, certificates: HTTPCertificates
  ) throws(HTTPError) {
    try HTTPURL.check(request.url)
    ccurl_request_limit(raw, max(request.maximumResponseBytes, 0), HTTPHandle.headersLimit)
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
    if let folder = certificates.folder {
      try set(CURLOPT_CAPATH, folder)
    } else if certificates.file == nil, ccurl_has_bundle() {
      // The system's folder says the same as its file, and with a folder libcurl keeps nothing of what it has read: each
      // connection would read all certificates anew, 25 million instructions.
      try check(ccurl_request_set_text(raw, CURLOPT_CAPATH, nil))
    }
    try set(CURLOPT_PATH_AS_IS, 1)
    if !request.mayRepeat { try set(CURLOPT_FRESH_CONNECT, 1) }
    try prepare(scope)
    try prepareMethod(request)
    try prepareHeaders(request)
  }

  private func prepare(_ scope: NetworkPolicy.Scope) throws(HTTPError) {
    guard case .restricted(let allowances) = scope else { return }
    // A proxy would make the connection in our place, where nothing is checked.
    try set(CURLOPT_PROXY, "")
    ccurl_request_restrict(
      raw,
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
      try check(ccurl_request_set_body(raw, request.body, request.body.count))
    default:
      if !request.body.isEmpty { try check(ccurl_request_set_body(raw, request.body, request.body.count)) }
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
    guard ccurl_request_add_header(raw, line) else { throw .failed("out of memory") }
  }

  func set(_ option: CURLoption, _ value: Int64) throws(HTTPError) {
    try check(ccurl_request_set_long(raw, option, value))
  }

  private func set(_ option: CURLoption, _ text: String) throws(HTTPError) {
    try check(ccurl_request_set_text(raw, option, text))
  }

  private func check(_ code: CURLcode) throws(HTTPError) {
    guard code == CURLE_OK else { throw .failed(message(code)) }
  }

  // MARK: - Errors

  private func message(_ code: CURLcode) -> String {
    let text = String(cString: ccurl_request_message(raw, code))
    let line = text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }
    return HTTPText.withoutUserInfo(String(decoding: line, as: UTF8.self))
  }

  /// Why a request failed that has ended with this code. `host` is as it stands in the URL, `limit` the most bytes of an
  /// answer.
  func error(_ code: CURLcode, host: @autoclosure () -> String, limit: Int) -> HTTPError {
    if ccurl_request_is_over_limit(raw) { return .tooLarge(limit) }
    let wasConnected = ccurl_request_was_connected(raw)
    if !wasConnected, ccurl_request_is_refused(raw) { return .forbidden(host()) }
    switch code {
    case CURLE_FILESIZE_EXCEEDED: return .tooLarge(limit)
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
