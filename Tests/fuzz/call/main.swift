// A session with a plane in memory: each line is a call, `operation arguments`. `$A` in the arguments stands for the agent that was created last.
// Runs have one millisecond. Every answer is JSON of the length that was said, every failure a status and an error document.
import CFuzzer
import CJansson
import CMuster
import MusterABI

let config = #"""
  {"store":":memory:","organization_id":"o","user_id":"u","limits":{"call_timeout_ms":1},
  "default_model":{"provider":"openai_compatible","name":"m","api_base":"http://127.0.0.1:1/v1"}}
  """#
let maximumCalls = 12

/// The value of a text that has to be JSON, for the caller to release.
func load(_ text: UnsafePointer<CChar>, _ length: Int, _ what: String) -> UnsafeMutablePointer<json_t> {
  guard strlen(text) == length else { fatalError("\(what) has another length than it says") }
  guard let value = json_loadb(text, length, Int(JSON_DECODE_ANY), nil) else { fatalError("\(what) is not JSON") }
  return value
}

/// Calls an operation; gives the id in its answer, if there is one.
func call(_ plane: OpaquePointer, _ operation: [CChar], _ arguments: [CChar]) -> [UInt8]? {
  var text: UnsafeMutablePointer<CChar>?
  var length = 0
  var error: OpaquePointer?
  let status = muster_call(plane, operation, arguments, 0, &text, &length, &error)
  if status == MUSTER_OK {
    guard error == nil, let text else { fatalError("success without an answer") }
    let value = load(text, length, "an answer")
    defer { json_decref(value) }
    muster_free(text)
    guard let id = json_string_value(json_object_get(value, "id")) else { return nil }
    return Array(UnsafeRawBufferPointer(start: id, count: strlen(id)))
  }
  guard text == nil, length == 0, let error, muster_error_status(error) == status else {
    fatalError("a failure with an answer, or without an error")
  }
  guard status != MUSTER_E_INTERNAL, strcmp(muster_status_name(status), "UNKNOWN") != 0 else {
    fatalError("status \(status): \(String(cString: muster_error_message(error)))")
  }
  let http = muster_error_http_status(error)
  guard http >= 400, http < 600, status != MUSTER_E_API || http < 502 else { fatalError("HTTP status \(http)") }
  var size = 0
  let document = load(muster_error_json(error, &size), size, "an error document")
  guard json_object_size(document) == 1, json_object_get(document, "detail") != nil else {
    fatalError("an error document without its detail")
  }
  json_decref(document)
  muster_error_free(error)
  return nil
}

func replacing(_ line: ArraySlice<UInt8>, _ agent: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  var rest = line
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "$"), rest.first == UInt8(ascii: "A") {
      rest = rest.dropFirst()
      result += agent
    } else {
      result.append(byte)
    }
  }
  return result
}

func terminated(_ bytes: some Sequence<UInt8>) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

func check(_ input: [UInt8]) {
  var plane: OpaquePointer?
  guard muster_open(config, nil, &plane, nil) == MUSTER_OK, let plane else { fatalError("the plane does not open") }
  var agent: [UInt8] = Array("none".utf8)
  for line in input.split(separator: UInt8(ascii: "\n")).prefix(maximumCalls) {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
    guard let operation = words.first else { continue }
    let arguments = words.count > 1 ? replacing(words[1], agent) : []
    let id = call(plane, terminated(operation), terminated(arguments))
    if let id, operation.elementsEqual("agents.create".utf8) { agent = id }
  }
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
