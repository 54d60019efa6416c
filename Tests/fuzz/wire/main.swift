// What a model server may send: the first byte chooses the status, and above 127 that tools are offered, the second the headers, the rest is the
// body. An answer's text is a JSON string; a failure says why in one line, without the key.
import CFuzzer
import MusterHTTP
import MusterJSON

@testable import MusterModels

let key = "sk-secret-0123456789"
let statuses = [200, 200, 200, 201, 204, 302, 400, 401, 404, 408, 429, 500, 503]
let headers: [[HTTPHeader]] = [
  [], [HTTPHeader("Content-Type", "text/html")], [HTTPHeader("Retry-After", "7")],
  [HTTPHeader("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")],
  [HTTPHeader("x-should-retry", "false"), HTTPHeader("retry-after-ms", "99999999999")],
]
let plainRequest = ModelRequest(
  endpoint: ModelEndpoint(
    provider: "openai", base: "https://models.example/v1", key: key,
    extraHeaders: [HTTPHeader("X-Key", key)]),
  model: "gpt-4.1", messages: [.text(.user, .string("hello"))])
let toolRequest = ModelRequest(
  endpoint: plainRequest.endpoint, model: "gpt-4.1", messages: [],
  tools: [ModelTool(name: "f", description: "", parameters: .literal(#"{"type":"object"}"#))])
nonisolated(unsafe) var request = plainRequest

/// The text of a Retry-After header is the server's as well: in one of the forms it is the body.
func response(_ input: [UInt8]) -> HTTPResponse? {
  guard let first = input.first, let second = input.dropFirst().first else { return nil }
  let body = Array(input.dropFirst(2))
  let kind = Int(second) % (headers.count + 1)
  let sent =
    kind < headers.count
    ? headers[kind] : [HTTPHeader("Retry-After", String(decoding: body, as: UTF8.self))]
  request = first > 127 ? toolRequest : plainRequest
  return HTTPResponse(status: statuses[Int(first & 127) % statuses.count], headers: sent, body: body)
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

func check(_ response: HTTPResponse) {
  do throws(ModelFailure) {
    let answer = try OpenAIChatDecoder.decode(response, request)
    guard response.status >= 200, response.status < 300 else { fatalError("an answer with status \(response.status)") }
    guard answer.text.kind == .string, answer.text.utf8 != nil,
      (try? JSON.parse(Array(answer.text.bytes)))?.hasSameBytes(answer.text) == true
    else { fatalError("the text is no JSON string") }
    guard answer.calls.isEmpty || !request.tools.isEmpty else { fatalError("calls of tools that were not offered") }
    check(answer.calls, answer.opaque)
    guard answer.promptTokens >= 0, answer.completionTokens >= 0 else { fatalError("less than no tokens") }
  } catch {
    let message = Array(error.message.utf8)
    guard !message.isEmpty, message.count <= 1024, !message.contains(where: { $0 < 0x20 }) else {
      fatalError("not one short line: \(error.message)")
    }
    let secret = Array(key.utf8)
    for start in message.indices where message[start...].starts(with: secret) {
      fatalError("the key: \(error.message)")
    }
    if let wait = error.retryAfterMilliseconds, wait < 0 || wait > 60_000 { fatalError("waits \(wait) ms") }
  }
}

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    if let response = response(Array(UnsafeBufferPointer(start: data, count: size))) { check(response) }
    return 0
  })
