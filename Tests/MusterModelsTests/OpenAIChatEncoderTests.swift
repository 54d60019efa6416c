import MusterHTTP
import MusterJSON
import Testing

@testable import MusterModels

@Suite("Requests on the wire")
struct OpenAIChatEncoderTests {
  private func encoded(_ request: ModelRequest) -> String {
    String(decoding: OpenAIChatEncoder.encode(request), as: UTF8.self)
  }

  @Test("a plain question has a model and messages, and nothing else")
  func plain() {
    #expect(
      encoded(question("gpt-4.1")) == #"{"model":"gpt-4.1","messages":[{"role":"user","content":"hello there"}]}"#)
  }

  @Test("a streamed question also asks for a stream, and for the usage at its end")
  func streamed() {
    let request = question("gpt-4.1", format: .json(schema: nil), effort: "low")
    #expect(
      String(decoding: OpenAIChatEncoder.encode(request, streamed: true), as: UTF8.self)
        == encoded(request).dropLast() + #","stream":true,"stream_options":{"include_usage":true}}"#)
  }

  @Test("messages keep their order and roles, and their content byte for byte")
  func messages() throws {
    let content = try JSON.parse(Array(#"{"c":"a\/b\u00e9 \ud83d\ude00 é\n"}"#.utf8))["c"]
    let messages: [ModelMessage] = [
      .text(.system, .string("be \"nice\"")), .text(.user, .string("")),
      .text(.assistant, try #require(content)),
    ]
    #expect(
      encoded(question("m", endpoint(), messages))
        == #"{"model":"m","messages":[{"role":"system","content":"be \"nice\""},{"role":"user","content":""},"#
        + #"{"role":"assistant","content":"a\/b\u00e9 \ud83d\ude00 é\n"}]}"#)
  }

  @Test("a schema is sent under a name, and not as a strict one")
  func schema() {
    let schema = JSON.literal(#"{"type":"object","properties":{"n":{"type":"integer","default":1.50}}}"#)
    #expect(
      encoded(question("m", format: .json(schema: schema))).hasSuffix(
        #","response_format":{"type":"json_schema","json_schema":{"name":"answer","#
          + #""schema":{"type":"object","properties":{"n":{"type":"integer","default":1.50}}},"strict":false}}}"#))
  }

  @Test("JSON without a schema is asked for as an object")
  func object() {
    #expect(
      encoded(question("m", format: .json(schema: nil))).hasSuffix(#","response_format":{"type":"json_object"}}"#))
  }

  @Test("the effort is sent only when there is one")
  func effort() {
    #expect(encoded(question("m", effort: "high")).hasSuffix(#"],"reasoning_effort":"high"}"#))
  }

  @Test("tools are offered as functions, with their schemas byte for byte")
  func tools() {
    let schema = JSON.literal(#"{"type":"object","properties":{"n":{"type":"integer","default":1.50}}}"#)
    #expect(
      encoded(question("m", format: .json(schema: nil), tools: [tool(parameters: schema), tool("b-2")])).hasSuffix(
        #"],"tools":[{"type":"function","function":{"name":"look_up","description":"Looks \"it\" up.","parameters":"#
          + #"{"type":"object","properties":{"n":{"type":"integer","default":1.50}}}}},{"type":"function","function":"#
          + #"{"name":"b-2","description":"Looks \"it\" up.","parameters":{"type":"object"}}}],"#
          + #""response_format":{"type":"json_object"}}"#))
  }

  @Test("calls and results go back as they came, with all that the provider put into them")
  func calls() throws {
    let arguments = try JSON.parse(Array(#"["{\"a\\/b\":\u00221\" }"]"#.utf8)).elements[0]
    let messages: [ModelMessage] = [
      .text(.user, .string("hi")),
      .calls(
        text: .string("a \"b\""),
        [
          ModelToolCall(id: "c \"1\"", name: "look_up", arguments: arguments),
          ModelToolCall(
            id: "2", name: "b-2", arguments: .literal(#""{}""#),
            opaque: .literal(#"{"extra_content":{"s":"\/é"},"n":1.50}"#)),
        ], opaque: .literal(#"{"reasoning_content":"hm\u00e9","x":[null]}"#)),
      .result(callID: "2", content: .literal(#""caf\u00e9""#)), .result(callID: "c \"1\"", content: .string("")),
      .calls(text: nil, [ModelToolCall(id: "3", name: "f", arguments: .literal(#""{}""#))], opaque: nil),
      .calls(text: .string(""), [], opaque: nil),
    ]
    #expect(
      encoded(question("m", endpoint(), messages))
        == #"{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"a \"b\"","#
        + #""tool_calls":[{"id":"c \"1\"","type":"function","function":{"name":"look_up","arguments":"#
        + #""{\"a\\/b\":\u00221\" }"}},{"id":"2","type":"function","function":{"name":"b-2","arguments":"{}"},"#
        + #""extra_content":{"s":"\/é"},"n":1.50}],"reasoning_content":"hm\u00e9","x":[null]},"#
        + #"{"role":"tool","tool_call_id":"2","content":"caf\u00e9"},"#
        + #"{"role":"tool","tool_call_id":"c \"1\"","content":""},{"role":"assistant","content":null,"tool_calls":"#
        + #"[{"id":"3","type":"function","function":{"name":"f","arguments":"{}"}}]},"#
        + #"{"role":"assistant","content":null,"tool_calls":[]}]}"#)
  }

  @Test(
    "arguments go back as an object in any case: many servers parse them, and refuse the conversation for ever",
    arguments: [
      (#""""#, "{}"), (#""{\"a\": 1}""#, #"{"a": 1}"#), (#"" {} ""#, " {} "),
      (#""{\"a\":""#, #"{"INVALID_JSON":"{\"a\":"}"#), (#""[1]""#, #"{"INVALID_JSON":"[1]"}"#),
      (#""caf\u00e9\n""#, #"{"INVALID_JSON":"caf\u00e9\n"}"#), (#"" ""#, #"{"INVALID_JSON":" "}"#),
      (#""{\"n\":123456789012345678901}""#, #"{"INVALID_JSON":"{\"n\":123456789012345678901}"}"#),
    ])
  func arguments(written: String, sent: String) throws {
    let arguments = try JSON.parse(Array("[\(written)]".utf8)).elements[0]
    let call = ModelToolCall(id: "1", name: "f", arguments: arguments)
    let request = question("m", endpoint(), [.calls(text: nil, [call], opaque: nil)])
    let body = try JSON.parse(OpenAIChatEncoder.encode(request))
    let function = body["messages"]?.elements.first?["tool_calls"]?.elements.first?["function"]
    #expect(function?["arguments"]?.string == sent)
    #expect(try JSON.parse(Array(sent.utf8)).kind == .object)
  }

  @Test(
    "names that the model made up go back as names that OpenAI takes",
    arguments: [
      ("functions.look_up", "functions_look_up"), ("é", "__"), ("aZ09_-", "aZ09_-"), ("a b\"@[`{/:", "a_b_______"),
      (String(repeating: "x", count: 70), String(repeating: "x", count: 64)),
    ])
  func names(written: String, sent: String) {
    let call = ModelToolCall(id: "1", name: written, arguments: .literal(#""{}""#))
    #expect(
      encoded(question("m", endpoint(), [.calls(text: nil, [call], opaque: nil)]))
        .contains(#""function":{"name":"\#(sent)","arguments":"{}"}"#))
  }

  @Test(
    "the path goes behind the base, with or without its slash, and before its query",
    arguments: [
      ("http://h/v1", "http://h/v1/chat/completions"), ("http://h/v1/", "http://h/v1/chat/completions"),
      ("https://h:8", "https://h:8/chat/completions"),
      ("https://h/openai?api-version=1", "https://h/openai/chat/completions?api-version=1"),
    ])
  func url(base: String, url: String) {
    let request = OpenAIChatClient.httpRequest(question("m", endpoint(base)))
    #expect(request.url == url)
    #expect(request.method == "POST")
  }

  @Test("the key is the bearer, and JSON goes both ways")
  func headers() {
    let request = OpenAIChatClient.httpRequest(question("m"))
    #expect(
      request.headers == [
        HTTPHeader("Content-Type", "application/json"), HTTPHeader("Accept", "application/json"),
        HTTPHeader("User-Agent", "muster/0.1.0"), HTTPHeader("Authorization", "Bearer \(testKey)"),
      ])
  }

  @Test("who asks for a stream accepts one")
  func streamedHeaders() {
    let headers = OpenAIChatClient.httpRequest(question("m"), streamed: true).headers
    #expect(headers.filter { $0.isNamed("Accept") } == [HTTPHeader("Accept", "text/event-stream")])
    #expect(headers.count == OpenAIChatClient.httpRequest(question("m")).headers.count)
  }

  @Test("without a key there is no authorization")
  func keyless() {
    let request = OpenAIChatClient.httpRequest(question("m", endpoint(key: nil)))
    #expect(!request.headers.contains { $0.isNamed("Authorization") })
  }

  @Test("extra headers are added, and take the place of ours and of earlier ones with the same name")
  func extraHeaders() {
    let extra = [HTTPHeader("X-Team", "a"), HTTPHeader("authorization", "Basic abc"), HTTPHeader("x-team", "b")]
    let headers = OpenAIChatClient.httpRequest(question("m", endpoint(headers: extra))).headers
    #expect(headers.filter { $0.isNamed("Authorization") } == [HTTPHeader("authorization", "Basic abc")])
    #expect(headers.filter { $0.isNamed("X-Team") } == [HTTPHeader("x-team", "b")])
    #expect(headers.contains(HTTPHeader("Content-Type", "application/json")))
  }
}
