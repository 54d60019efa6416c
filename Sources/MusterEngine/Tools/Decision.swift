import MusterJSON

/// What a person has decided about a call that waited for that.
package struct Decision: Sendable {
  package enum Answer: String, Sendable {
    /// Make the call; if it is not known whether it was made, make it again: it was not.
    case proceed
    /// Do not make it, and tell the model so.
    case decline
    /// It was done already.
    case done
    /// End the run.
    case giveUp = "give_up"
  }

  /// Which of the calls that the model asked for last, from 0.
  package let call: Int
  package let answer: Answer
  /// What the model is told: why not, or what came of it.
  package let comment: String?
  /// Who decided, as they were named.
  package let user: String?

  package init(call: Int, answer: Answer, comment: String?, user: String?) {
    self.call = call
    self.answer = answer
    self.comment = comment
    self.user = user
  }

  init(_ body: JSON) throws(UnreadableRecord) {
    guard let call = body["call"]?.int64.flatMap({ Int(exactly: $0) }),
      let answer = body["answer"]?.string.flatMap({ Answer(rawValue: $0) })
    else { throw UnreadableRecord(what: "decision of a person") }
    self.init(call: call, answer: answer, comment: body["comment"]?.string, user: body["user"]?.string)
  }

  var json: JSON {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("call", Int64(call))
    writer.member("answer", answer.rawValue)
    if let comment { writer.member("comment", comment) }
    if let user { writer.member("user", user) }
    writer.endObject()
    return writer.json
  }
}
