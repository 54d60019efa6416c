// Requests to a plane in memory, separated by the byte 0x1e: `METHOD TARGET`, header lines, an empty line, a body. `$K` in a header stands for an API
// key, `$A` in target and body for an agent. Runs have one millisecond. Whatever is sent, there is an answer that is no mistake of the service.
import CFuzzer
import CJansson
import CMuster
import MusterABI

let config = #"""
  {"store":":memory:","organization_id":"o","limits":{"call_timeout_ms":1},
  "default_model":{"provider":"openai_compatible","name":"m","api_base":"http://127.0.0.1:1/v1"}}
  """#
let maximumRequests = 6

/// A member of an operation's answer that must be a text.
func member(_ plane: OpaquePointer, _ operation: String, _ arguments: String, _ name: String) -> [UInt8] {
  var text: UnsafeMutablePointer<CChar>?
  guard muster_call(plane, operation, arguments, 0, &text, nil, nil) == MUSTER_OK, let text,
    let value = json_loads(text, 0, nil), let found = json_string_value(json_object_get(value, name))
  else { fatalError("\(operation) fails") }
  defer {
    json_decref(value)
    muster_free(text)
  }
  return Array(UnsafeRawBufferPointer(start: found, count: strlen(found)))
}

func replacing(_ text: ArraySlice<UInt8>, _ letter: Character, _ value: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  var rest = text
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "$"), rest.first == letter.asciiValue {
      rest = rest.dropFirst()
      result += value
    } else {
      result.append(byte)
    }
  }
  return result
}

func terminated(_ bytes: some Sequence<UInt8>) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

/// The header lines as a JSON object, which takes the last of several with one name.
func headers(_ lines: ArraySlice<ArraySlice<UInt8>>, _ key: [UInt8]) -> [CChar] {
  guard let object = json_object() else { fatalError("no memory") }
  defer { json_decref(object) }
  for line in lines {
    let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { continue }
    // What is no text is left out: jansson does not make it.
    guard let value = json_string(terminated(replacing(parts[1], "K", key))) else { continue }
    json_object_set_new(object, terminated(parts[0]), value)
  }
  guard let text = json_dumps(object, 0) else { fatalError("the headers cannot be written") }
  defer { free(text) }
  return terminated(UnsafeRawBufferPointer(start: text, count: strlen(text)))
}

func send(_ plane: OpaquePointer, _ request: ArraySlice<UInt8>, key: [UInt8], agent: [UInt8]) {
  let lines = request.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  let end = lines.firstIndex { $0.isEmpty } ?? lines.endIndex
  let words = (lines.first ?? []).split(separator: UInt8(ascii: " "), maxSplits: 1)
  let head = headers(lines[..<end].dropFirst(), key)
  let body = replacing(ArraySlice(lines[end...].dropFirst().joined(separator: [UInt8(ascii: "\n")])), "A", agent)
  var status: Int32 = 0
  var answerHeaders: UnsafeMutablePointer<CChar>?
  var answer: UnsafeMutableRawPointer?
  var length = 0
  var error: OpaquePointer?
  let outcome = muster_http(
    plane, terminated(words.first ?? []), terminated(words.count > 1 ? replacing(words[1], "A", agent) : []), head,
    body,
    body.count, &status, &answerHeaders, &answer, &length, &error)
  guard outcome == MUSTER_OK else {
    // The texts of the call itself are no text.
    guard outcome == MUSTER_E_UTF8 || outcome == MUSTER_E_JSON, answer == nil, error != nil else {
      fatalError("status \(outcome)")
    }
    muster_error_free(error)
    return
  }
  defer {
    muster_free(answerHeaders)
    muster_free(answer)
  }
  // 500 is a mistake of ours; 501, 503 and 504 have a meaning.
  guard error == nil, (200..<500).contains(status) || [501, 503, 504].contains(status) else {
    fatalError("HTTP status \(status)")
  }
  guard let answerHeaders, let answer, let object = json_loads(answerHeaders, 0, nil) else {
    fatalError("an answer without headers or body")
  }
  defer { json_decref(object) }
  guard json_object_get(object, "X-Request-Id") != nil else { fatalError("an answer without an id") }
  guard length > 0, let type = json_string_value(json_object_get(object, "Content-Type")),
    strcmp(type, "application/json") == 0
  else { return }
  guard let value = json_loadb(answer.assumingMemoryBound(to: CChar.self), length, Int(JSON_DECODE_ANY), nil) else {
    fatalError("an answer that is not JSON")
  }
  defer { json_decref(value) }
  guard status < 400 || (json_object_size(value) == 1 && json_object_get(value, "detail") != nil) else {
    fatalError("an error without its detail")
  }
}

func check(_ input: [UInt8]) {
  var plane: OpaquePointer?
  guard muster_open(config, nil, &plane, nil) == MUSTER_OK, let plane else { fatalError("the plane does not open") }
  let key = member(plane, "keys.create", #"{"body":{"name":"k","can_manage_keys":true}}"#, "key")
  let agent = member(plane, "agents.create", #"{"body":{"name":"a"}}"#, "id")
  for request in input.split(separator: 0x1e).prefix(maximumRequests) { send(plane, request, key: key, agent: agent) }
  guard muster_close(plane) == MUSTER_OK else { fatalError("the plane does not close") }
}

// Nothing leaves this machine, wherever an input says that a model is.
for name in ["http_proxy", "https_proxy", "all_proxy"] { setenv(name, "http://127.0.0.1:1", 1) }
for name in ["no_proxy", "NO_PROXY"] { setenv(name, "", 1) }
json_object_seed(1)
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    check(Array(UnsafeBufferPointer(start: data, count: size)))
    return 0
  })
