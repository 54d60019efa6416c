import CCurl
import CPlatform
package import MusterSystem

/// One request on an `HTTPLoop`, until its end.
package final class HTTPCall: @unchecked Sendable {
  /// The size of curl's buffer for what is received, which each request has for itself while it waits. Events of a
  /// streamed answer are smaller than that; what is larger takes more than one turn.
  private static let bufferSize: Int64 = 2_048
  /// The least that curl has; it has such a buffer for requests that do not fit into one of their headers' size.
  private static let uploadBufferSize: Int64 = 16_384

  private let thread: HTTPLoopThread
  /// As it stands in the URL; the rest of the request is with curl alone.
  let host: String
  let scope: NetworkPolicy.Scope
  let deadline: Deadline
  private let limit: Int

  // Guarded by the thread's lock.
  private(set) var stream: OpaquePointer?
  private var reason: Interrupt.Reason?

  /// The thread's own once it was submitted.
  var receiver: (any HTTPReceiver)?

  /// Sets the request up on the caller's thread.
  init(
    _ request: HTTPRequest, _ scope: NetworkPolicy.Scope, _ certificates: HTTPCertificates, _ deadline: Deadline,
    _ receiver: any HTTPReceiver, _ thread: HTTPLoopThread
  ) throws(HTTPError) {
    stream = try HTTPCall.stream(request, scope, certificates, thread)
    self.thread = thread
    self.scope = scope
    self.deadline = deadline
    self.receiver = receiver
    host = HTTPURL.host(of: request.url)
    limit = request.maximumResponseBytes
  }

  private static func stream(
    _ request: HTTPRequest, _ scope: NetworkPolicy.Scope, _ certificates: HTTPCertificates, _ thread: HTTPLoopThread
  ) throws(HTTPError) -> OpaquePointer {
    guard let stream = Inside.run({ ccurl_stream_new(thread.loop) }) else { throw .failed("out of memory") }
    let handle = HTTPHandle(raw: ccurl_stream_request(stream))
    do throws(HTTPError) {
      try handle.prepare(request, scope: scope, certificates: certificates)
      try handle.set(CURLOPT_BUFFERSIZE, bufferSize)
      try handle.set(CURLOPT_UPLOAD_BUFFERSIZE, uploadBufferSize)
    } catch {
      Inside.run { ccurl_stream_free(stream) }
      throw error
    }
    return stream
  }

  /// Closes the connection at once and has the receiver told of an interruption, unless it has heard of the end.
  /// From any thread; does not wait. The first reason counts. Where the receiver itself calls it, nothing of the answer
  /// follows; elsewhere the receiver may be hearing of some just then.
  package func cancel(_ reason: Interrupt.Reason) { thread.cancel(self, reason) }

  // MARK: - For the thread, with its lock held

  /// Takes the reason; false when there is one already, or the request has ended.
  func interrupt(_ reason: Interrupt.Reason) -> Bool {
    guard let stream, self.reason == nil else { return false }
    self.reason = reason
    ccurl_stream_mute(stream)
    return true
  }

  /// Takes the stream away: it has ended. Nil when it has ended before.
  func takeEnd() -> (stream: OpaquePointer, reason: Interrupt.Reason?)? {
    guard let stream else { return nil }
    self.stream = nil
    return (stream, reason)
  }

  // MARK: - On the thread

  /// Why the request failed; nil when it did not.
  func error(_ result: CURLcode) -> HTTPError? {
    guard let stream else { return nil }
    if result == CURLE_OK {
      return ccurl_stream_has_begun(stream) ? nil : .broken("the answer ended before its head")
    }
    let raw = ccurl_stream_request(stream)
    // Once connected there is no other time to be over than that of the whole request.
    if result == CURLE_OPERATION_TIMEDOUT, deadline.hasPassed || ccurl_request_was_connected(raw) { return .timedOut }
    return HTTPHandle(raw: raw).error(result, host: host, limit: limit)
  }
}
