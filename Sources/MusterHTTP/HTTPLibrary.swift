import CCurl
import MusterSystem

/// libcurl, opened when the first request is made.
enum HTTPLibrary {
  static func load(_ log: Log) throws(HTTPError) {
    if let problem = Inside.run({ ccurl_load() }) {
      let message = String(cString: problem)
      log.write(.error, "http", message)
      throw .unavailable(message)
    }
    guard ProcessExit.watch() else { throw .failed("out of memory") }
  }

  /// Which connections a request may use.
  static func scope(of request: HTTPRequest, _ log: Log) throws(HTTPError) -> NetworkPolicy.Scope {
    if request.network.isOpen { return .any }
    try HTTPURL.check(request.url)
    try load(log)
    guard let host = NetworkHost.of(url: request.url) else {
      throw .invalidURL("no host can be read in \(HTTPURL.shown(request.url))")
    }
    return request.network.scope(of: host)
  }
}
