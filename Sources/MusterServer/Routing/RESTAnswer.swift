package import MusterAPI
import MusterJSON
package import MusterSystem

/// What a request is answered with.
package struct RESTAnswer: Sendable {
  package var status: Int32
  package var headers: [(name: String, value: String)]
  /// Of an answer to HEAD, what GET would give: whoever sends it leaves it out.
  package var body: [UInt8]
  /// What the body comes from while it is being made: `body` is empty then. Whoever has the answer closes it.
  package var source: (any AnswerSource)?
  /// What records of the request may tell about it.
  package var facts = Facts()

  /// How long GET and HEAD of its target with its key are answered with it; nil when nobody can say.
  package var validity: Validity?

  /// Until what an answer holds.
  package struct Validity: Sendable {
    /// The plane's change number before anything was read for the answer: it holds while that is the same.
    package let changeNumber: Int64
    /// When its key expires; nil: never.
    package let end: Timestamp?
  }

  /// About a request: nothing of what it carried.
  package struct Facts: Sendable {
    /// The pattern that its path fits, for example `/v1/agents/{agent_id}`; nil when it fits none.
    package var route: String?
    /// The name of its operation.
    package var operation: String?
    package var requestID = ""
    /// The public part of its key, and the organization of that; nil without a valid key.
    package var keyID: String?
    package var organizationID: String?
    /// How its key stands; nil when nothing was counted.
    package var rate: RateState?
  }

  package init(status: Int32, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Events, as they come.
  package static func events(_ source: any AnswerSource) -> RESTAnswer {
    var answer = RESTAnswer(status: 200, headers: [("Content-Type", "text/event-stream")])
    answer.source = source
    return answer
  }

  /// A JSON text.
  package static func json(_ status: Int32, _ text: [UInt8]) -> RESTAnswer {
    RESTAnswer(status: status, headers: [("Content-Type", "application/json")], body: text)
  }

  /// The documented error.
  package static func failure(_ failure: Failure) -> RESTAnswer {
    var answer = json(failure.httpStatus, Array(failure.document.bytes))
    if failure.isRetryable || failure.httpStatus == 503 { answer.headers.append(("Retry-After", "1")) }
    return answer
  }

  /// A stream of events, without its source.
  static var eventsHead: RESTAnswer {
    RESTAnswer(status: 200, headers: [("Content-Type", "text/event-stream; charset=utf-8")])
  }

  /// The answer to OPTIONS, and with 405 to a method that the path does not have.
  static func allowing(_ methods: String, to method: String) -> RESTAnswer {
    var answer = method == "OPTIONS" ? RESTAnswer(status: 204) : .failure(.rest(405, "Method Not Allowed"))
    answer.headers.append(("Allow", methods))
    return answer
  }
}
