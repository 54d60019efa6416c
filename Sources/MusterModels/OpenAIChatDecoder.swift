import MusterHTTP
import MusterJSON

/// Reads answers in OpenAI's chat-completions form, and its errors. Members that it does not know are no error.
enum OpenAIChatDecoder {
  static func decode(_ response: HTTPResponse, _ request: ModelRequest) throws(ModelFailure) -> ModelAnswer {
    guard response.status >= 200, response.status < 300 else { throw failure(of: response, request) }
    func invalid(_ what: String) -> ModelFailure { unusable(what, .invalidAnswer, response.status, request) }

    let document: JSON
    do {
      document = try JSON.parse(response.body)
    } catch {
      if isPage(response) {
        throw invalid("the answer is a page, not JSON: \(ModelText.excerpt(response.body, request.endpoint))")
      }
      throw invalid("the answer is not usable JSON: \(error.description)")
    }
    guard document.kind == .object else { throw invalid("the answer is not a JSON object") }
    guard let choice = document["choices"]?.elements.first, let message = choice.present("message"),
      message.kind == .object
    else {
      guard let told = errorText(document) else { throw invalid("the answer has no choices") }
      throw invalid("the answer is an error: \(ModelText.excerpt(told, request.endpoint))")
    }
    var chunks = OpenAIChatChunks(offersTools: !request.tools.isEmpty)
    chunks.read(message, of: choice, in: document)
    let end = try chunks.end(response.status, request)
    return ModelAnswer(
      text: text(of: message) ?? .literal("\"\""), finishReason: end.finishReason, model: end.model,
      promptTokens: end.promptTokens, completionTokens: end.completionTokens, hasUsage: end.hasUsage, calls: end.calls,
      opaque: end.opaque)
  }

  /// Why an answer with a status of success cannot be used.
  static func unusable(
    _ what: String, _ kind: ModelFailure.Kind, _ status: Int, _ request: ModelRequest
  ) -> ModelFailure {
    ModelFailure(kind: kind, httpStatus: status, message: ModelText.line(request, what))
  }

  // MARK: - Content

  /// The text of a message, a string or an array of parts; nil when it has none. Nothing but a refusal is none.
  static func text(of message: JSON) -> JSON? {
    guard let content = message.present("content") else { return nil }
    switch content.kind {
    case .string: return content.isEmpty && refusal(in: message) != nil ? nil : content.detached
    case .array:
      let texts = content.elements.filter { $0["type"]?.isString("text") ?? false }.compactMap { $0["text"] }
        .filter { $0.kind == .string }
      guard !texts.isEmpty else { return nil }
      var joined: [UInt8] = [UInt8(ascii: "\"")]
      for text in texts { joined.append(contentsOf: text.bytes.dropFirst().dropLast()) }
      joined.append(UInt8(ascii: "\""))
      return JSON.trusted(joined)
    default: return nil
    }
  }

  /// What the model says when it declines: a member of the message, or a part of its content.
  static func refusal(in message: JSON) -> [UInt8]? {
    if let refusal = message["refusal"]?.utf8, !refusal.isEmpty { return refusal }
    for part in message["content"]?.elements ?? [] {
      if let refusal = part["refusal"]?.utf8, !refusal.isEmpty { return refusal }
    }
    return nil
  }

  // MARK: - Errors

  /// What an answer that is no success means.
  private static func failure(of response: HTTPResponse, _ request: ModelRequest) -> ModelFailure {
    let document = try? JSON.parse(response.body)
    let status = response.status
    var what = "HTTP \(status)"
    if status >= 300, status < 400 { what += ", a redirect, which is not followed" }
    let told = document.flatMap { errorText($0) } ?? response.body
    let excerpt = ModelText.excerpt(told, request.endpoint)
    if !excerpt.isEmpty { what += ": \(excerpt)" }

    let code = document?["error"]?["code"]
    let isFiltered = status == 400 && (code?.isString("content_filter") ?? false)
    return ModelFailure(
      kind: isFiltered ? .filtered : status == 429 ? .rateLimited : .http, httpStatus: status,
      message: ModelText.line(request, what), isTransient: isTransient(response, code),
      retryAfterMilliseconds: RetryAfter.milliseconds(of: response))
  }

  /// As OpenAI's clients have it: time-out, conflict, rate limit and the server's own errors, unless the server says
  /// otherwise.
  private static func isTransient(_ response: HTTPResponse, _ code: JSON?) -> Bool {
    if let advice = response.header("x-should-retry") {
      if advice == "true" { return true }
      if advice == "false" { return false }
    }
    // A used-up account is reported with the status of a rate limit, but waiting does not fill it.
    if code?.isString("insufficient_quota") ?? false { return false }
    return response.status == 408 || response.status == 409 || response.status == 429 || response.status >= 500
  }

  /// The text in an error document: `{"error": {"message"}}`, or as other servers write it.
  static func errorText(_ document: JSON) -> [UInt8]? {
    let places = [document["error"]?["message"], document["error"], document["message"], document["detail"]]
    for place in places {
      if let text = place?.utf8, !text.isEmpty { return text }
    }
    return nil
  }

  private static func isPage(_ response: HTTPResponse) -> Bool {
    let first = response.body.first { $0 > 0x20 }
    return first == UInt8(ascii: "<")
      || HTTPText.hasPrefixIgnoringCase(response.header("Content-Type") ?? "", "text/html")
  }
}
