import CMicrohttpd
import MusterSystem

/// One request on a socket, from its arrival until its answer was sent: what the loop, a worker and the log share.
final class Exchange: @unchecked Sendable {
  let request: RESTRequest
  /// Fired when the server ends before the request does.
  let interrupt = Interrupt()
  /// Among the requests that are under way.
  var number = 0
  var answer: RESTAnswer?

  init(_ raw: OpaquePointer) {
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
    request = RESTRequest(
      method: String(cString: cmicrohttpd_request_method(raw)),
      target: Exchange.bytes(cmicrohttpd_request_target(raw)), headers: headers,
      body: Array(UnsafeBufferPointer(start: body, count: size)))
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    var count = 0
    while text[count] != 0 { count += 1 }
    return Array(UnsafeRawBufferPointer(start: text, count: count))
  }

  /// Whether it asks for nothing that needs a key.
  var isOpen: Bool { !request.target.starts(with: "/v1".utf8) }

  /// Whether it asks for the counts, which need no key and belong to no operation.
  var isForMetrics: Bool {
    request.target.elementsEqual("/metrics".utf8) || request.target.starts(with: "/metrics?".utf8)
  }

  /// The `traceparent` that came with it, if it looks like one.
  var trace: String? {
    guard let text = request.header("traceparent"), (55...64).contains(text.utf8.count),
      text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) || $0 == 0x2d })
    else { return nil }
    return text
  }

  /// Hands the answer to the loop.
  func send(_ answer: RESTAnswer, on raw: OpaquePointer) {
    self.answer = answer
    guard cmicrohttpd_request_answer(raw, UInt32(clamping: answer.status), answer.body, answer.body.count) else {
      return
    }
    for header in answer.headers { cmicrohttpd_request_add_header(raw, header.name, header.value) }
  }
}
