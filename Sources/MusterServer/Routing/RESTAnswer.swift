package import MusterAPI
import MusterJSON

/// What a request is answered with.
package struct RESTAnswer: Sendable {
  package var status: Int32
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int32, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A JSON text.
  package static func json(_ status: Int32, _ text: [UInt8]) -> RESTAnswer {
    RESTAnswer(status: status, headers: [("Content-Type", "application/json")], body: text)
  }

  /// The documented error.
  package static func failure(_ failure: Failure) -> RESTAnswer {
    var answer = json(failure.httpStatus, Array(failure.document.bytes))
    if failure.isRetryable { answer.headers.append(("Retry-After", "1")) }
    return answer
  }
}
