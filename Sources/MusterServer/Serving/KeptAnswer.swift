import CMicrohttpd
import MusterAPI
import MusterSystem

/// An answer that is given again for as long as it holds, without its body being copied for each request.
final class KeptAnswer: @unchecked Sendable {
  let status: Int32
  /// Without the id of the request.
  let headers: [(name: String, value: String)]
  /// Those of the request that it was made for.
  let facts: RESTAnswer.Facts
  let size: Int
  private let bytes: UnsafeMutablePointer<UInt8>
  private let validity: RESTAnswer.Validity

  /// Nil when it may differ the next time, or there is no memory for it.
  init?(_ answer: RESTAnswer) {
    guard let validity = answer.validity, answer.source == nil,
      let bytes = cmicrohttpd_bytes_new(answer.body, answer.body.count)
    else {
      return nil
    }
    self.validity = validity
    self.bytes = bytes
    size = answer.body.count
    status = answer.status
    headers = answer.headers.filter { $0.name != RequestID.header }
    facts = answer.facts
  }

  deinit { cmicrohttpd_bytes_free(bytes) }

  /// Whether it is what would be answered now. `changeNumber`: what the plane says now.
  func holds(_ changeNumber: Int64) -> Bool {
    changeNumber == validity.changeNumber && validity.end.map { Timestamp.now() < $0 } ?? true
  }

  /// Makes it the answer to a request, which keeps this object until it has ended.
  func answer(_ raw: OpaquePointer) -> Bool {
    cmicrohttpd_request_answer_shared(raw, UInt32(clamping: status), bytes, size)
  }
}
