import MusterJSON

/// Reads an error that came within a stream, whose status had been a success: what status it would have had otherwise
/// stands in its `code`, as a number (llama.cpp, vLLM, OpenRouter) or in digits (LiteLLM); others have words only.
enum OpenAIStreamError {
  /// - Parameters:
  ///   - document: what was told; nil when it is not JSON.
  ///   - data: the same as it came.
  ///   - textBytes: how much text came before it.
  static func failure(
    _ document: JSON?, _ data: [UInt8], after textBytes: Int, _ status: Int, _ request: ModelRequest
  ) -> ModelFailure {
    let told = document.flatMap { OpenAIChatDecoder.errorText($0) } ?? data
    let place = textBytes == 0 ? "is an error" : "broke off after \(textBytes) bytes of text with an error"
    let message = ModelText.line(request, "the answer \(place): \(ModelText.excerpt(told, request.endpoint))")

    let inner = document?.present("error")
    let error = inner?.kind == .object ? inner : document
    let words = [error?["code"], error?["type"], error?["error_type"]]
    func says(_ texts: [String]) -> Bool {
      words.contains { word in texts.contains { word?.isString($0) ?? false } }
    }
    let code = number(error?["code"]) ?? (says(["rate_limit_exceeded", "rate_limit_error"]) ? 429 : nil)
    let kind: ModelFailure.Kind
    if says(["content_filter"]) {
      kind = .filtered
    } else if let code {
      kind = code == 429 ? .rateLimited : .http
    } else {
      kind = .invalidAnswer
    }
    let isServers = code.map { $0 == 408 || $0 == 409 || $0 == 429 || $0 >= 500 } ?? false
    let isTransient =
      kind != .filtered && !says(["insufficient_quota"])
      && (isServers || (code == nil && says(["server_error", "overloaded_error", "server_is_overloaded"])))
    return ModelFailure(kind: kind, httpStatus: code ?? status, message: message, isTransient: isTransient)
  }

  /// A status that tells of a failure.
  private static func number(_ code: JSON?) -> Int? {
    guard let value = code?.int64 ?? code?.string.flatMap({ Int64($0) }), value >= 400, value < 600 else { return nil }
    return Int(truncatingIfNeeded: value)
  }
}
