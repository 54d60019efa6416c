// What a model server may stream: the first byte chooses the status, and above 127 that tools are offered, the second the headers, the third how the
// answer ends, the fourth how it is cut; the rest is the body. However it is cut, the same is heard of it and it ends in the same way. What is heard is UTF-8; a failure says why in
// one line, without the key. The events alone are read with a small limit, too.
import CFuzzer
import MusterHTTP
import MusterJSON
import MusterSystem

@testable import MusterModels

let key = "sk-secret-0123456789"
let statuses = [200, 200, 200, 200, 201, 302, 400, 429, 500]
let headers: [[HTTPHeader]] = [
  [HTTPHeader("Content-Type", "text/event-stream; charset=utf-8")], [],
  [HTTPHeader("Content-Type", "application/json")],
  [HTTPHeader("content-type", "text/plain")],
  [HTTPHeader("Content-Type", "text/html"), HTTPHeader("Retry-After", "7"), HTTPHeader("x-should-retry", "false")],
]
let ends: [HTTPError?] = [nil, nil, .broken("reset"), .timedOut, .tooLarge(9), .interrupted(.stopped)]
let plainRequest = ModelRequest(
  endpoint: ModelEndpoint(
    provider: "openai", base: "https://models.example/v1", key: key, extraHeaders: [HTTPHeader("X-Key", key)]),
  model: "gpt-4.1", messages: [])
let toolRequest = ModelRequest(
  endpoint: plainRequest.endpoint, model: "gpt-4.1", messages: [],
  tools: [ModelTool(name: "f", description: "", parameters: .literal(#"{"type":"object"}"#))])
nonisolated(unsafe) var request = plainRequest

struct Heard: Equatable {
  var text: [UInt8] = []
  var end = ""
}

/// Pieces of 1 to 64 bytes; seed 0: of one byte.
func pieces(_ bytes: ArraySlice<UInt8>, _ seed: UInt8) -> [[UInt8]] {
  var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15
  var found: [[UInt8]] = []
  var rest = bytes
  while !rest.isEmpty {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let piece = rest.prefix(seed == 0 ? 1 : Int(state >> 58) + 1)
    found.append(Array(piece))
    rest = rest.dropFirst(piece.count)
  }
  return found
}

func hear(_ pieces: [[UInt8]], _ status: Int, _ headers: [HTTPHeader], _ error: HTTPError?) -> Heard {
  var stream = OpenAIChatStream(request, status: status, headers: headers)
  var heard = Heard()
  for piece in pieces {
    let text = stream.read(piece)
    guard UTF8Check.isValid(text) else { fatalError("not whole characters: \(text)") }
    heard.text += text
  }
  heard.text += stream.finish(error)
  switch stream.outcome {
  case nil: fatalError("the end is no end")
  case .answered(let end):
    guard status >= 200, status < 300 else { fatalError("an answer with status \(status)") }
    guard end.promptTokens >= 0, end.completionTokens >= 0 else { fatalError("less than no tokens") }
    let text = end.answer(heard: heard.text).text
    guard text.kind == .string, text.utf8 == heard.text,
      (try? JSON.parse(Array(text.bytes)))?.hasSameBytes(text) == true
    else { fatalError("the text is no JSON string") }
    guard end.calls.isEmpty || !request.tools.isEmpty else { fatalError("calls of tools that were not offered") }
    check(end.calls, end.opaque)
    heard.end = "\(end)"
  case .failed(let failure):
    check(failure)
    heard.end = "\(failure)"
  }
  return heard
}

func check(_ failure: ModelFailure) {
  let message = Array(failure.message.utf8)
  guard !message.isEmpty, message.count <= 1024, !message.contains(where: { $0 < 0x20 }) else {
    fatalError("not one short line: \(failure.message)")
  }
  let secret = Array(key.utf8)
  for start in message.indices where message[start...].starts(with: secret) {
    fatalError("the key: \(failure.message)")
  }
  if let wait = failure.retryAfterMilliseconds, wait < 0 || wait > 60_000 { fatalError("waits \(wait) ms") }
}

/// The calls go into a next question, which is JSON with all that they have; no two have the same id.
func check(_ calls: [ModelToolCall], _ opaque: JSON?) {
  if calls.isEmpty, opaque != nil { fatalError("something goes back without calls") }
  let message = ModelMessage.calls(text: nil, calls, opaque: opaque)
  let request = ModelRequest(endpoint: request.endpoint, model: "m", messages: [message])
  guard let body = try? JSON.parse(OpenAIChatEncoder.encode(request)),
    let sent = body["messages"]?.elements.first?["tool_calls"]?.elements, sent.count == calls.count
  else { fatalError("the next question is no JSON") }
  for (place, call) in calls.enumerated() {
    guard !call.name.isEmpty, sent[place]["id"]?.string == call.id,
      !calls[..<place].contains(where: { $0.id == call.id })
    else { fatalError("a call without a name, or with an id that is not its own: \(call)") }
    guard let arguments = sent[place]["function"]?["arguments"]?.utf8, (try? JSON.parse(arguments))?.kind == .object
    else { fatalError("the arguments are no object: \(call)") }
    for value in [call.arguments, call.opaque ?? .null] where (try? JSON.parse(Array(value.bytes))) == nil {
      fatalError("no JSON: \(call)")
    }
  }
}

/// The events with a small limit: what is read of them, and whether the limit was passed.
func events(_ pieces: [[UInt8]], limit: Int) -> [[UInt8]] {
  var reader = ServerSentEvents(limit: limit)
  var found: [[UInt8]] = []
  func note(_ event: ServerSentEvents.Event) {
    guard !event.data.isEmpty, event.data.count <= limit else { fatalError("an event of \(event.data.count) bytes") }
    found.append(event.data + [event.isError ? 1 : 0, event.isCut ? 1 : 0])
  }
  for piece in pieces {
    reader.append(piece)
    while let event = reader.next() { note(event) }
  }
  if let event = reader.finish() { note(event) }
  if reader.isTooLong { found.append([]) }
  return found
}

/// With a blank before it no chunk is taken for one like the last: each is parsed.
func checkAlone(_ body: ArraySlice<UInt8>, _ whole: Heard, _ headers: [HTTPHeader], _ end: HTTPError?) {
  var blanked: [UInt8] = []
  for place in body.indices {
    let front = body[..<place].suffix(7)
    if body[place] == UInt8(ascii: "{"), front.elementsEqual("\ndata: ".utf8) || front.elementsEqual("data: ".utf8) {
      blanked.append(0x20)
    }
    blanked.append(body[place])
  }
  let alone = hear([blanked], 200, headers, end)
  // What is said of a failure may name the place of a byte.
  let isAnswer = whole.end.hasPrefix("ModelAnswerEnd") || alone.end.hasPrefix("ModelAnswerEnd")
  guard alone.text == whole.text, !isAnswer || alone == whole else {
    fatalError("heard otherwise each by itself: \(alone), not \(whole)")
  }
}

func check(_ input: [UInt8]) {
  guard input.count >= 4 else { return }
  let status = statuses[Int(input[0] & 127) % statuses.count]
  request = input[0] > 127 ? toolRequest : plainRequest
  let headers = headers[Int(input[1]) % headers.count]
  let end = ends[Int(input[2]) % ends.count]
  let body = input[4...]
  let cut = pieces(body, input[3])
  let whole = hear([Array(body)], status, headers, end)
  guard hear(cut, status, headers, end) == whole else { fatalError("heard otherwise in pieces: \(whole)") }
  if status == 200 { checkAlone(body, whole, headers, end) }
  let limit = 8 + Int(input[3])
  guard events(cut, limit: limit) == events([Array(body)], limit: limit) else { fatalError("other events in pieces") }
}

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    check(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
