import MusterJSON

/// Puts an answer together from the chunks of OpenAI's streamed form. Members that it does not know are no error.
struct OpenAIChatChunks {
  /// How much text there was so far.
  private(set) var textBytes = 0

  private var finishReason: String?
  private var model: String?
  private var promptTokens: Int64?
  private var completionTokens: Int64?
  /// What the model says when it declines.
  private var refusal: [UInt8] = []
  /// Whether there was content, if only an empty one.
  private var hasContent = false
  private var asksForTools = false
  private var calls = OpenAIChatToolCalls()
  private let offersTools: Bool
  private var isFiltered = false

  /// What the last chunk was like, if another one that differs in its text alone does nothing but tell that text.
  private var pattern: JSONStringPattern?
  /// The only content in the chunk that is being read.
  private var content: JSON?
  private var isRepeatable = true

  /// More of a refusal than can be quoted is not kept.
  private static let refusalLimit = 65_536

  /// - Parameter offersTools: whether tool calls are kept.
  init(offersTools: Bool) { self.offersTools = offersTools }

  /// Whether a reason was given why the answer ends.
  var isFinished: Bool { finishReason != nil }

  /// Takes a chunk that is like the last one but for its text, and answers that; nil when it is not.
  mutating func read(repeated data: [UInt8]) -> [UInt8]? {
    guard let text = pattern?.content(in: data) else { return nil }
    textBytes &+= text.count
    return text
  }

  /// Takes a chunk, an object; answers the text in it, nil when it tells of an error instead: by a member of that name,
  /// or by a text where there are no choices.
  mutating func read(_ chunk: JSON) -> [UInt8]? {
    pattern = nil
    content = nil
    isRepeatable = true
    var choices: JSON?
    var walk = JSONMemberWalk(chunk)
    while walk.next() {
      if walk.isNull { continue }
      if walk.isKey("choices") {
        choices = walk.value
      } else if walk.isKey("usage") {
        read(usage: walk.value)
      } else if model == nil, walk.isKey("model") {
        // Azure names none in the chunk that tells what its filter thinks of the question.
        if !walk.value.isEmpty { model = walk.value.string }
      } else if walk.isKey("error"), !walk.value.isEmpty {
        return nil
      }
    }
    if choices == nil, OpenAIChatDecoder.errorText(chunk) != nil { return nil }
    var text: [UInt8] = []
    for choice in choices?.elements ?? [] {
      let piece = read(choice: choice)
      if text.isEmpty { text = piece } else { text.append(contentsOf: piece) }
    }
    textBytes &+= text.count
    if isRepeatable, let content { pattern = JSONStringPattern(chunk, varying: content) }
    content = nil
    return text
  }

  /// Takes an answer that is not streamed.
  mutating func read(_ message: JSON, of choice: JSON, in document: JSON) {
    model = document["model"]?.string
    if let usage = document["usage"] { read(usage: usage) }
    if let reason = choice["finish_reason"] { read(reason: reason) }
    textBytes = read(delta: message, isWhole: true).count
  }

  private mutating func read(usage: JSON) {
    // Some servers count in each chunk; the last count is of the whole answer.
    promptTokens = usage["prompt_tokens"]?.int64 ?? promptTokens
    completionTokens = usage["completion_tokens"]?.int64 ?? completionTokens
  }

  private mutating func read(reason: JSON) {
    // Azure's asynchronous filter may speak after the model has finished.
    if reason.isString("content_filter") { isFiltered = true }
    finishReason = reason.string ?? finishReason
  }

  private mutating func read(choice: JSON) -> [UInt8] {
    var delta: JSON?
    var message: JSON?
    var reason: JSON?
    var walk = JSONMemberWalk(choice)
    while walk.next() {
      if walk.isNull { continue }
      if walk.isKey("delta") {
        delta = walk.value
      } else if walk.isKey("finish_reason") {
        reason = walk.value
      } else if walk.isKey("index") {
        // One answer was asked for; others are not for us.
        if walk.value.int64 ?? 0 != 0 { return [] }
      } else if walk.isKey("message") {
        message = walk.value
      }
    }
    if let reason { read(reason: reason) }
    // Some gateways give a whole message in one chunk; where there were deltas it repeats them.
    let isDelta = delta != nil
    if !isDelta { isRepeatable = false }
    guard let delta = delta ?? (textBytes == 0 && calls.isEmpty ? message : nil) else { return [] }
    return read(delta: delta, isWhole: !isDelta)
  }

  private mutating func read(delta: JSON, isWhole: Bool) -> [UInt8] {
    // What there was besides is repeated in it.
    if isWhole { calls = OpenAIChatToolCalls() }
    var text: [UInt8]?
    var walk = JSONMemberWalk(delta)
    while walk.next() {
      if walk.isNull { continue }
      if walk.isKey("content") {
        if walk.value.kind == .string {
          text = walk.value.utf8
          if content != nil { isRepeatable = false }
          content = walk.value
        } else {
          isRepeatable = false
          text = OpenAIChatDecoder.text(of: delta)?.utf8
          if let declined = OpenAIChatDecoder.refusal(in: delta) { add(refusal: declined) }
        }
      } else if walk.isKey("tool_calls") {
        if walk.value.isEmpty { continue }
        asksForTools = true
        guard offersTools else { continue }
        isRepeatable = false
        calls.add(walk.value, isWhole: isWhole)
      } else if walk.isKey("refusal"), let declined = walk.value.utf8 {
        add(refusal: declined)
      } else if offersTools, calls.add(memberOf: walk) {
        isRepeatable = false
      }
    }
    if text != nil { hasContent = true }
    return text ?? []
  }

  private mutating func add(refusal declined: [UInt8]) {
    if !declined.isEmpty { isRepeatable = false }
    refusal.append(contentsOf: declined.prefix(max(OpenAIChatChunks.refusalLimit - refusal.count, 0)))
  }

  /// What the chunks amount to, when no more come.
  func end(_ status: Int, _ request: ModelRequest) throws(ModelFailure) -> ModelAnswerEnd {
    func unusable(_ what: String, _ kind: ModelFailure.Kind) -> ModelFailure {
      OpenAIChatDecoder.unusable(what, kind, status, request)
    }
    if isFiltered { throw unusable("the provider's content filter took the answer away", .filtered) }
    if textBytes == 0 {
      if !refusal.isEmpty {
        throw unusable("the model refused: \(ModelText.excerpt(refusal, request.endpoint))", .refused)
      }
      if calls.isEmpty {
        if asksForTools { throw unusable(OpenAIChatToolCalls.unread(request), .invalidAnswer) }
        guard hasContent else {
          throw unusable(
            "the answer has no content\(finishReason == "length" ? ": its length was used up before" : "")",
            .invalidAnswer)
        }
      }
    }
    if !calls.isEmpty, let problem = calls.problem(finishReason) { throw unusable(problem, .invalidAnswer) }
    return ModelAnswerEnd(
      finishReason: finishReason, model: model, promptTokens: max(promptTokens ?? 0, 0),
      completionTokens: max(completionTokens ?? 0, 0), hasUsage: promptTokens != nil || completionTokens != nil,
      calls: calls.result, opaque: calls.opaque)
  }
}
