import CMicrohttpd
import CPlatform
import MusterSystem

/// One request on a socket, from its arrival until its answer was sent: what the loop, a worker and the log share.
/// Whatever is not asked of it is not made.
final class Exchange: @unchecked Sendable {
  private let raw: OpaquePointer
  let method: String
  /// The `traceparent` that came with it, if it looks like one, for the log.
  private(set) var trace: String?
  /// The request for whoever makes its answer.
  private(set) lazy var request = makeRequest()
  /// Fired when the server ends before the request does.
  private(set) lazy var interrupt = Interrupt()
  /// Among the requests that are under way.
  var number = 0
  /// By what its answer may be kept; nil when it is not asked for again.
  private(set) lazy var name = makeName()
  /// What records of the request may tell, once it was answered.
  private(set) var facts = RESTAnswer.Facts()
  /// How many bytes the body of its answer has.
  var answerSize: Int { stream?.sent ?? size }
  private var size = 0
  /// The answer while it is being made.
  private(set) var stream: AnswerStream?
  /// Holds the bytes that are being sent.
  private var kept: KeptAnswer?

  /// Nothing is asked of `raw` once the request has been answered.
  init(_ raw: OpaquePointer, isLogged: Bool) {
    self.raw = raw
    method = String(cString: cmicrohttpd_request_method(raw))
    if isLogged { trace = header("traceparent").flatMap { Exchange.isTrace($0) ? $0 : nil } }
  }

  private static func isTrace(_ text: String) -> Bool {
    (55...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) || $0 == 0x2d }
  }

  private func makeRequest() -> RESTRequest {
    var headers: [(name: String, value: String)] = []
    let count = cmicrohttpd_request_header_count(raw)
    headers.reserveCapacity(count)
    for index in 0..<count {
      headers.append(
        (
          String(cString: cmicrohttpd_request_header_name(raw, index)),
          String(cString: cmicrohttpd_request_header_value(raw, index))
        ))
    }
    var size = 0
    let body = cmicrohttpd_request_body(raw, &size)
    return RESTRequest(
      method: method, target: Exchange.bytes(cmicrohttpd_request_target(raw)), headers: headers,
      body: body == nil ? [] : Array(UnsafeBufferPointer(start: body, count: size)))
  }

  private func makeName() -> AnswerCache.Name? {
    guard method == "GET" || method == "HEAD", let key = cmicrohttpd_request_header(raw, "x-api-key") else {
      return nil
    }
    return AnswerCache.Name(target: Exchange.bytes(cmicrohttpd_request_target(raw)), key: Exchange.bytes(key))
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  private func header(_ name: StaticString) -> String? {
    cmicrohttpd_request_header(raw, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)).map {
      String(cString: $0)
    }
  }

  /// Whether it asks for nothing that needs a key, and with that for nothing from the store.
  var isOpen: Bool {
    // Most requests are for `/v1`, and need no closer look.
    strncmp(cmicrohttpd_request_target(raw), "/v1", 3) != 0 && !Destination.needsKey(request.target)
  }

  /// Whether it asks for the counts, which need no key and belong to no operation.
  var isForMetrics: Bool {
    request.target.elementsEqual("/metrics".utf8) || request.target.starts(with: "/metrics?".utf8)
  }

  /// The exchange that a request was given.
  static func of(_ raw: OpaquePointer) -> Exchange? {
    cmicrohttpd_request_attachment(raw).map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Hands the answer to the loop; `streams` belongs to its server.
  func send(_ answer: RESTAnswer, _ streams: Streams) {
    facts = answer.facts
    if let source = answer.source {
      send(source, answer, streams)
      return
    }
    size = answer.body.count
    guard cmicrohttpd_request_answer(raw, UInt32(clamping: answer.status), answer.body, answer.body.count) else {
      return
    }
    for header in answer.headers { cmicrohttpd_request_add_header(raw, header.name, header.value) }
  }

  private func send(_ source: any AnswerSource, _ answer: RESTAnswer, _ streams: Streams) {
    stream = AnswerStream(raw, source, streams)
    // Nobody asks for them any more, and it may take long.
    request = RESTRequest(method: method, target: [], headers: [], body: [])
    cmicrohttpd_request_forget_body(raw)
    guard cmicrohttpd_request_answer_stream(raw, UInt32(clamping: answer.status)) else { return }
    for header in answer.headers { cmicrohttpd_request_add_header(raw, header.name, header.value) }
    cmicrohttpd_request_add_header(raw, "Cache-Control", "no-cache")
  }

  /// The same with an answer that is kept, also that to an earlier request.
  func send(_ answer: KeptAnswer, requestID: String? = nil) {
    kept = answer
    facts = answer.facts
    facts.requestID = requestID ?? RequestID.of(header("x-request-id"))
    size = answer.size
    guard answer.answer(raw) else { return }
    for header in answer.headers { cmicrohttpd_request_add_header(raw, header.name, header.value) }
    cmicrohttpd_request_add_header(raw, RequestID.header, facts.requestID)
  }
}
