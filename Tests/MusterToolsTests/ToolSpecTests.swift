import MusterJSON
import Testing

@testable import MusterTools

@Suite("What a host says of a tool")
struct ToolSpecTests {
  private func spec(_ text: String) throws -> ToolSpec { try ToolSpec(try JSON.parse(Array(text.utf8))) }

  @Test("A name is enough; everything else has its documented default")
  func defaults() throws {
    let spec = try spec(#"{"name":"clock"}"#)
    #expect(spec.name == "clock")
    #expect(spec.description.isEmpty)
    #expect(spec.parameters.string == nil && spec.parameters["type"]?.string == "object")
    #expect(!spec.isReadOnly && !spec.isIdempotent && !spec.hasProbe && !spec.isOnCaller)
    #expect(spec.timeoutMilliseconds == 60_000)
    #expect(spec.resultLimit == 65_536)
  }

  @Test(
    "The normal form has every key, and reads as the same tool",
    arguments: [
      #"{"name":"clock"}"#,
      #"{"name":"a-b_C9","description":"\"x\"\n","read_only":true,"idempotent":true,"probe":true,"timeout_ms":1,"result_limit":256}"#,
      #"{"thread":"caller","name":"window","parameters":{"properties":{"n":{"type":"integer"}},"type":"object"}}"#,
    ])
  func normalForm(text: String) throws {
    let first = try spec(text)
    #expect(
      first.json.members.map(\.key) == [
        "name", "description", "parameters", "read_only", "idempotent", "probe", "thread", "timeout_ms", "result_limit",
      ])
    if let given = try JSON.parse(Array(text.utf8))["parameters"] { #expect(given.hasSameBytes(first.parameters)) }
    let second = try ToolSpec(first.json)
    #expect(first.json.hasSameBytes(second.json))
    #expect(second.isOnCaller == first.isOnCaller && second.timeoutMilliseconds == first.timeoutMilliseconds)
  }

  @Test(
    "What is wrong is refused, and named",
    arguments: [
      ("[]", ": value is not a valid dict"),
      ("{}", "/name: field required"),
      (#"{"name":""}"#, "/name: must be"),
      (#"{"name":"a b"}"#, "/name: must be"),
      (#"{"name":"é"}"#, "/name: must be"),
      (#"{"name":7}"#, "/name: str type expected"),
      (#"{"name":"\#(String(repeating: "a", count: 65))"}"#, "/name: must be"),
      (#"{"name":"a","colour":1}"#, "/colour: extra fields not permitted"),
      (#"{"name":"a","description":1}"#, "/description: "),
      (#"{"name":"a","read_only":1}"#, "/read_only: "),
      (#"{"name":"a","idempotent":"yes"}"#, "/idempotent: "),
      (#"{"name":"a","probe":[]}"#, "/probe: "),
      (#"{"name":"a","thread":"main"}"#, "/thread: "),
      (#"{"name":"a","timeout_ms":0}"#, "/timeout_ms: "),
      (#"{"name":"a","timeout_ms":3600001}"#, "/timeout_ms: "),
      (#"{"name":"a","timeout_ms":1.5}"#, "/timeout_ms: "),
      (#"{"name":"a","timeout_ms":1,"thread":"caller"}"#, "/timeout_ms: cannot be with"),
      (#"{"name":"a","result_limit":255}"#, "/result_limit: "),
      (#"{"name":"a","result_limit":16777217}"#, "/result_limit: "),
      (#"{"name":"a","parameters":[]}"#, "/parameters: "),
      (#"{"name":"a","parameters":{}}"#, #"/parameters: without "type":"object""#),
      (#"{"name":"a","parameters":{"type":"string"}}"#, "/parameters: without"),
      (#"{"name":"a","parameters":{"type":"object","properties":{"b":{"pattern":"x"}}}}"#, "#/properties/b/pattern"),
      (#"{"name":"a","parameters":{"type":"object","required":1}}"#, "/parameters: schema keyword 'required'"),
    ])
  func refused(text: String, part: String) throws {
    let json = try JSON.parse(Array(text.utf8))
    let error = #expect(throws: ToolSpecError.self) { try ToolSpec(json) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test("A schema as deep as a request may be is refused, not compiled without end")
  func deep() throws {
    let text =
      String(repeating: #"{"type":"object","properties":{"a":"#, count: 60) + "{}" + String(repeating: "}}", count: 60)
    #expect(throws: ToolSpecError.self) { try spec(#"{"name":"a","parameters":\#(text)}"#) }
  }
}
