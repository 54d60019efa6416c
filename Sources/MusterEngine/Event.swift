package import MusterJSON

/// A fact about a run. Times, ids and random numbers come in with the facts, so that folding them again gives the same run.
package enum Event: Sendable {
  case began(Beginning)
  case modelAnswered(ModelAnswered)
  case modelFailed(ModelFailed)
  /// The time of a `wait` is over.
  case waited
  /// With the text of the answer that had come by then, a JSON string, if any had.
  case stopRequested(StopReason, text: JSON? = nil)
  /// The process that ran it ended, or its plane was closed.
  case interrupted
  case toolReturned(ToolReturned)
  /// The process that ran it is gone, and another one, or the same anew, goes on with it.
  case resumed
  /// A tool was asked what became of a call: it was not done, or that could not be learnt.
  case probed(call: Int, isKnown: Bool)
  case decided(Decision)

  /// Whether tools are asked for in it, or have answered.
  package var isOfTools: Bool {
    switch self {
    case .modelAnswered(let answer): return !answer.calls.isEmpty
    case .toolReturned, .probed: return true
    default: return false
    }
  }

  /// The permanent number of the kind of event, as journals hold it.
  package var kind: Int64 {
    switch self {
    case .began: return 1
    case .modelAnswered: return 2
    case .modelFailed: return 3
    case .waited: return 4
    case .stopRequested: return 5
    case .interrupted: return 6
    case .toolReturned: return 7
    case .resumed: return 8
    case .probed: return 9
    case .decided: return 10
    }
  }

  /// The event as a JSON object, without its kind.
  package var body: JSON {
    switch self {
    case .began(let beginning): return beginning.json
    case .modelAnswered(let answer): return answer.json
    case .modelFailed(let failure): return failure.json
    case .stopRequested(let reason, let text):
      var writer = JSONWriter(capacity: (text?.bytes.count ?? 0) + 48)
      writer.beginObject()
      writer.member("reason", reason.rawValue)
      writer.memberIfPresent("text", text)
      writer.endObject()
      return writer.json
    case .waited, .interrupted, .resumed: return .literal("{}")
    case .probed(let call, let isKnown):
      var writer = JSONWriter()
      writer.beginObject()
      writer.member("call", Int64(call))
      writer.member("known", isKnown)
      writer.endObject()
      return writer.json
    case .decided(let decision): return decision.json
    case .toolReturned(let returned): return returned.json
    }
  }

  /// Reads an event back.
  package init(kind: Int64, body: JSON) throws(UnreadableRecord) {
    switch kind {
    case 1: self = .began(try Beginning(body))
    case 2: self = .modelAnswered(try ModelAnswered(body))
    case 3: self = .modelFailed(try ModelFailed(body))
    case 4: self = .waited
    case 5:
      guard let word = body["reason"]?.string, let reason = StopReason(rawValue: word) else {
        throw UnreadableRecord(what: "reason of a stop")
      }
      let text = body.present("text")
      guard text == nil || text?.kind == .string else { throw UnreadableRecord(what: "text of a stop") }
      self = .stopRequested(reason, text: text)
    case 6: self = .interrupted
    case 7: self = .toolReturned(try ToolReturned(body))
    case 8: self = .resumed
    case 9:
      guard let call = body["call"]?.int64.flatMap({ Int(exactly: $0) }) else {
        throw UnreadableRecord(what: "probe of a call")
      }
      self = .probed(call: call, isKnown: body["known"]?.bool ?? false)
    case 10: self = .decided(try Decision(body))
    default: throw UnreadableRecord(what: "event of kind \(kind)")
    }
  }
}

/// Why a run is stopped from outside.
package enum StopReason: String, Sendable {
  /// Somebody stopped the task.
  case person
  /// The caller cancelled its call.
  case cancelled
  /// The caller's time ran out.
  case timeout
  /// The seconds that the run may take are over.
  case seconds
  /// The task that it was a sub-task of has ended, and nobody had stopped that.
  case parent
}

/// A model's answer.
package struct ModelAnswered: Sendable {
  /// The text, a JSON string.
  package let text: JSON
  package let finishReason: String?
  /// The model that the server says it used.
  package let model: String?
  /// Nil when the server did not count.
  package let promptTokens: Int64?
  package let completionTokens: Int64?
  /// The tools that it asks for.
  package let calls: [ToolRequest]
  /// What else belongs to an answer that asks for tools and only the model understands, an object; kept verbatim.
  package let opaque: JSON?
  /// Unique for ever; the ids of the calls begin with it. Nil when there are none.
  package let key: String?

  package init(
    text: JSON, finishReason: String?, model: String?, promptTokens: Int64?, completionTokens: Int64?,
    calls: [ToolRequest] = [], opaque: JSON? = nil, key: String? = nil
  ) {
    self.calls = calls
    self.opaque = opaque
    self.key = key
    self.text = text
    self.finishReason = finishReason
    self.model = model
    self.promptTokens = promptTokens
    self.completionTokens = completionTokens
  }

  init(_ body: JSON) throws(UnreadableRecord) {
    guard let text = body["text"], text.kind == .string else { throw UnreadableRecord(what: "text of an answer") }
    self.text = text
    finishReason = body["finish_reason"]?.string
    model = body["model"]?.string
    promptTokens = body["usage"]?["prompt_tokens"]?.int64
    completionTokens = body["usage"]?["completion_tokens"]?.int64
    calls = try ToolRequest.requests(body["calls"])
    opaque = body.present("opaque")
    key = body["key"]?.string
  }

  var json: JSON {
    var writer = JSONWriter(capacity: text.bytes.count + 160)
    writer.beginObject()
    writer.member("text", text)
    writer.member("finish_reason", finishReason)
    writer.member("model", model)
    if let promptTokens, let completionTokens {
      writer.key("usage")
      writer.beginObject()
      writer.member("prompt_tokens", promptTokens)
      writer.member("completion_tokens", completionTokens)
      writer.endObject()
    }
    if !calls.isEmpty {
      writer.key("calls")
      ToolRequest.write(calls, to: &writer)
      writer.memberIfPresent("opaque", opaque)
      if let key { writer.member("key", key) }
    }
    writer.endObject()
    return writer.json
  }
}

/// An attempt to ask the model that gave no answer.
package struct ModelFailed: Sendable {
  package enum Kind: String, Sendable {
    /// It could not be reached, or the connection broke.
    case unreachable
    /// It did not answer in time.
    case timeout
    /// It answered with an HTTP error.
    case http
    /// Its answer is not one.
    case invalid
    /// It, or a filter before it, refused.
    case refused
    /// Nothing says where it is or with which key.
    case notConfigured = "not_configured"
    /// The network policy of the run does not allow its address.
    case forbidden
  }

  package let kind: Kind
  package let httpStatus: Int64?
  /// One line; no secrets.
  package let message: String
  package let isTransient: Bool
  /// How long the server asks to wait.
  package let retryAfterMilliseconds: Int64?
  /// A random number from 0 to 999 that spreads the retries of many runs.
  package let jitter: Int64

  package init(
    kind: Kind, httpStatus: Int64?, message: String, isTransient: Bool, retryAfterMilliseconds: Int64?, jitter: Int64
  ) {
    self.kind = kind
    self.httpStatus = httpStatus
    self.message = message
    self.isTransient = isTransient
    self.retryAfterMilliseconds = retryAfterMilliseconds
    self.jitter = jitter
  }

  init(_ body: JSON) throws(UnreadableRecord) {
    guard let word = body["kind"]?.string, let kind = Kind(rawValue: word), let message = body["message"]?.string else {
      throw UnreadableRecord(what: "failure of a model")
    }
    self.kind = kind
    self.message = message
    httpStatus = body["http_status"]?.int64
    isTransient = body["transient"]?.bool ?? false
    retryAfterMilliseconds = body["retry_after_ms"]?.int64
    jitter = body["jitter"]?.int64 ?? 0
  }

  var json: JSON {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("kind", kind.rawValue)
    writer.member("http_status", httpStatus)
    writer.member("message", message)
    writer.member("transient", isTransient)
    writer.member("retry_after_ms", retryAfterMilliseconds)
    writer.member("jitter", jitter)
    writer.endObject()
    return writer.json
  }
}
