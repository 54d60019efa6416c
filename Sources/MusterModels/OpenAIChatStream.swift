import MusterHTTP
import MusterJSON

/// Reads an answer in OpenAI's streamed form while it comes. The pieces of text, joined, are the text of the answer;
/// how the bytes were cut on their way makes no difference.
///
/// Servers that do not stream answer as a whole, and so do those that refuse: such answers are read as others are.
struct OpenAIChatStream {
  /// How it ended; nil while it goes on. Once it is there the rest of the bytes does not matter.
  private(set) var outcome: ModelOutcome?

  /// Without its messages: it is here to be named.
  private let request: ModelRequest
  private let status: Int
  private var headers: [HTTPHeader]
  private var form: Form
  /// All of an answer that is read as a whole; of one whose form is not known the little that has come.
  private var body: [UInt8] = []
  private var events = ServerSentEvents(limit: OpenAIChatStream.limit)
  private var chunks: OpenAIChatChunks

  private enum Form { case unknown, events, whole, failure }

  /// The most bytes of an event, which is usually shorter than 1,000, and of an answer that tells of a failure.
  private static let limit = 1_048_576

  /// - Parameters:
  ///   - status: of the answer, whose body is about to come.
  ///   - headers: of the answer.
  init(_ request: ModelRequest, status: Int, headers: [HTTPHeader]) {
    self.request = request
    self.status = status
    self.headers = headers
    chunks = OpenAIChatChunks(offersTools: !request.tools.isEmpty)
    form = status >= 200 && status < 300 ? .unknown : .failure
  }

  /// Takes some of the body; answers the text in it, which may be empty.
  mutating func read(_ bytes: [UInt8]) -> [UInt8] {
    guard outcome == nil else { return [] }
    switch form {
    case .events: return readEvents(bytes)
    case .unknown:
      body.append(contentsOf: bytes)
      form = sniffed()
      guard form == .events else { return [] }
      let start = body
      body = []
      headers = []
      return readEvents(start)
    case .whole: body.append(contentsOf: bytes)
    case .failure:
      body.append(contentsOf: bytes.prefix(OpenAIChatStream.limit - body.count))
      if body.count >= OpenAIChatStream.limit { _ = decode() }
    }
    return []
  }

  /// Takes the end of the body, or what broke it off; answers text that only the end makes sure. Then the outcome is
  /// there.
  mutating func finish(_ error: HTTPError?) -> [UInt8] {
    guard outcome == nil else { return [] }
    if let error, isOurs(error) {
      outcome = .failed(OpenAIChatClient.failure(error, request))
      return []
    }
    if form == .unknown, error == nil, !isEventStream { form = .whole }
    guard form == .events || form == .unknown else {
      if let error { outcome = .failed(OpenAIChatClient.failure(error, request)) }
      return decode()
    }
    var text: [UInt8] = []
    if let event = events.finish() { text = read(event) }
    if events.isTooLong { fail("a line of the answer is longer than \(OpenAIChatStream.limit) bytes") }
    guard outcome == nil else { return text }
    // Whoever said why the answer ends has said all of it, however the connection ended then.
    if chunks.isFinished { end() } else { outcome = .failed(brokenOff(error)) }
    return text
  }

  // MARK: - The form of the answer

  private var isEventStream: Bool {
    let type = headers.first { $0.isNamed("Content-Type") }?.value ?? "text/event-stream"
    return HTTPText.hasPrefixIgnoringCase(type, "text/event-stream")
  }

  /// What the first byte says counts more than the headers: errors come as bare JSON within what is called an event
  /// stream, and event streams under other names.
  private func sniffed() -> Form {
    for byte in body {
      switch byte {
      // Blanks, and the bytes of a byte order mark.
      case 0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf: continue
      case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "<"): return .whole
      // `data`, or a comment.
      case UInt8(ascii: "d"), UInt8(ascii: ":"): return .events
      default: return isEventStream ? .events : .whole
      }
    }
    return .unknown
  }

  // MARK: - Events

  private mutating func readEvents(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    events.append(bytes)
    while outcome == nil, let event = events.next() {
      let piece = read(event)
      if text.isEmpty { text = piece } else { text.append(contentsOf: piece) }
    }
    if events.isTooLong { fail("a line of the answer is longer than \(OpenAIChatStream.limit) bytes") }
    return text
  }

  private mutating func read(_ event: ServerSentEvents.Event) -> [UInt8] {
    let data = event.data
    if !event.isError, let text = chunks.read(repeated: data) { return text }
    if data.starts(with: "[DONE]".utf8) {
      end()
      return []
    }
    let chunk: JSON
    do {
      chunk = try JSON.parse(data)
    } catch {
      if event.isError {
        outcome = .failed(OpenAIStreamError.failure(nil, data, after: chunks.textBytes, status, request))
      } else if !event.isCut, data.contains(where: { $0 > 0x20 }) {
        fail("the answer is not usable JSON: \(error.description)")
      }
      return []
    }
    guard chunk.kind == .object else {
      fail("a chunk of the answer is not a JSON object")
      return []
    }
    if !event.isError, let text = chunks.read(chunk) { return text }
    outcome = .failed(OpenAIStreamError.failure(chunk, data, after: chunks.textBytes, status, request))
    return []
  }

  // MARK: - The end

  private mutating func fail(_ what: String) {
    guard outcome == nil else { return }
    outcome = .failed(OpenAIChatDecoder.unusable(what, .invalidAnswer, status, request))
  }

  private mutating func end() {
    do {
      outcome = .answered(try chunks.end(status, request))
    } catch {
      outcome = .failed(error)
    }
  }

  /// Reads the body as a whole, if nothing went wrong.
  private mutating func decode() -> [UInt8] {
    guard outcome == nil else { return [] }
    do {
      let answer = try OpenAIChatDecoder.decode(
        HTTPResponse(status: status, headers: headers, body: body), request)
      outcome = .answered(ModelAnswerEnd(of: answer))
      return answer.text.utf8 ?? []
    } catch {
      outcome = .failed(error)
      return []
    }
  }

  /// Whether the caller ended it, so that it counts as ended although the answer may be complete.
  private func isOurs(_ error: HTTPError) -> Bool {
    switch error {
    case .interrupted, .abandoned: return true
    default: return false
    }
  }

  /// The failure of an answer that lacks its end.
  private func brokenOff(_ error: HTTPError?) -> ModelFailure {
    let place = "after \(chunks.textBytes) bytes of text"
    guard let error else {
      return ModelFailure(
        kind: .unreachable, httpStatus: status, message: ModelText.line(request, "the answer broke off \(place)"),
        isTransient: true)
    }
    return OpenAIChatClient.failure(error, request, place)
  }
}
