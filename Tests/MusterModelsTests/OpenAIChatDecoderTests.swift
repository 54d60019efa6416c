import MusterHTTP
import MusterJSON
import TestSupport
import Testing

@testable import MusterModels

@Suite("Answers from the wire")
struct OpenAIChatDecoderTests {
  private func decode(_ body: String) throws(ModelFailure) -> ModelAnswer {
    try OpenAIChatDecoder.decode(HTTPResponse(body), question("gpt-4.1", endpoint("https://api.example.com/v1")))
  }

  private func problem(_ response: HTTPResponse, key: String? = testKey, headers: [HTTPHeader] = []) -> ModelFailure? {
    do {
      _ = try OpenAIChatDecoder.decode(
        response, question("gpt-4.1", endpoint("https://api.example.com/v1", key: key, headers: headers)))
      return nil
    } catch {
      return error
    }
  }

  static let whole = #"""
    {"id":"x","object":"chat.completion","created":1,"model":"gpt-4.1-2025","choices":[{"index":0,"message":
    {"role":"assistant","content":"caf\u00e9 \/ \ud83d\ude00 \"q\"","refusal":null,"annotations":[]},"logprobs":null,
    "finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46,
    "prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default","system_fingerprint":null}
    """#

  @Test("a whole answer is read, and its text keeps its escapes")
  func whole() throws {
    let answer = try decode(OpenAIChatDecoderTests.whole)
    #expect(String(decoding: answer.text.bytes, as: UTF8.self) == #""caf\u00e9 \/ \ud83d\ude00 \"q\"""#)
    #expect(answer.text.string == #"café / 😀 "q""#)
    #expect(answer.finishReason == "stop")
    #expect(answer.model == "gpt-4.1-2025")
    #expect(answer.promptTokens == 12)
    #expect(answer.completionTokens == 34)
    #expect(answer.hasUsage)
  }

  @Test("the least that counts as an answer is one choice with content")
  func least() throws {
    let answer = try decode(#"{"choices":[{"message":{"content":""}}]}"#)
    #expect(answer.text.string == "")
    #expect(answer.finishReason == nil)
    #expect(answer.model == nil)
    #expect(!answer.hasUsage)
    #expect(answer.promptTokens == 0 && answer.completionTokens == 0)
  }

  @Test(
    "content may be parts, of which the texts count",
    arguments: [
      (#"[{"type":"text","text":"a\n"},{"type":"text","text":"b"}]"#, #""a\nb""#),
      (#"[{"type":"thinking","text":"hm"},{"type":"text","text":"b"},7,{"type":"text","text":8}]"#, #""b""#),
      (#"[{"type":"text","text":""}]"#, #""""#),
    ])
  func parts(content: String, text: String) throws {
    let answer = try decode(#"{"choices":[{"message":{"content":\#(content)}}]}"#)
    #expect(String(decoding: answer.text.bytes, as: UTF8.self) == text)
  }

  @Test("an answer that is cut off is an answer, and says so")
  func length() throws {
    let answer = try decode(#"{"choices":[{"message":{"content":"and th"},"finish_reason":"length"}]}"#)
    #expect(answer.finishReason == "length")
    #expect(answer.text.string == "and th")
  }

  @Test(
    "usage counts as far as it is numbers",
    arguments: [
      (#""usage":null"#, 0, 0, false), (#""usage":{}"#, 0, 0, false), (#""usage":[1]"#, 0, 0, false),
      (#""usage":{"prompt_tokens":3}"#, 3, 0, true),
      (#""usage":{"completion_tokens":9223372036854775807}"#, 0, .max, true),
      (#""usage":{"prompt_tokens":-5,"completion_tokens":2.5}"#, 0, 0, true),
      (#""usage":{"prompt_tokens":"3"}"#, 0, 0, false),
    ] as [(String, Int64, Int64, Bool)])
  func usage(usage: String, prompt: Int64, completion: Int64, hasUsage: Bool) throws {
    let answer = try decode(#"{"choices":[{"message":{"content":"x"}}],\#(usage)}"#)
    #expect(answer.promptTokens == prompt)
    #expect(answer.completionTokens == completion)
    #expect(answer.hasUsage == hasUsage)
  }

  @Test(
    "what cannot be used is named",
    arguments: [
      ("", "not usable JSON"), ("{", "not usable JSON"),
      (#"{"choices":[{"message":{"content":"a\u0000b"}}]}"#, "\\u0000"),
      (#"{"n":12345678901234567890123}"#, "too big integer"), ("[1]", "not a JSON object"),
      ("null", "not a JSON object"),
      (String(repeating: "[", count: 200), "nested deeper than 128"), ("<html><body>Oops</body></html>", "page"),
      ("{}", "no choices"),
      (#"{"choices":[]}"#, "no choices"), (#"{"choices":{}}"#, "no choices"), (#"{"choices":[null]}"#, "no choices"),
      (#"{"choices":[{"message":null}]}"#, "no choices"), (#"{"choices":[{"message":"hi"}]}"#, "no choices"),
      (#"{"choices":[{"message":{}}]}"#, "no content"), (#"{"choices":[{"message":{"content":null}}]}"#, "no content"),
      (#"{"choices":[{"message":{"content":7}}]}"#, "no content"),
      (#"{"choices":[{"message":{"content":[]}}]}"#, "no content"),
      (#"{"choices":[{"message":{"content":null},"finish_reason":"length"}]}"#, "used up"),
      (#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]}}]}"#, "tools"),
      (#"{"error":{"message":"model overloaded","code":502}}"#, "model overloaded"),
    ])
  func invalid(body: String, named: String) throws {
    let failure = try #require(problem(HTTPResponse(body)))
    #expect(failure.kind == .invalidAnswer)
    #expect(failure.message.contains(named), "\(failure.message)")
    #expect(failure.message.hasPrefix("openai model gpt-4.1 at api.example.com: "))
    #expect(failure.httpStatus == 200)
    #expect(!failure.isTransient)
  }

  @Test("bytes that are not UTF-8 are no answer")
  func badUTF8() throws {
    let body = Array(#"{"choices":[{"message":{"content":""#.utf8) + [0xff] + Array(#""}}]}"#.utf8)
    let failure = try #require(problem(HTTPResponse(status: 200, headers: [], body: body)))
    #expect(failure.kind == .invalidAnswer)
    #expect(failure.message.contains("UTF-8"))
  }

  @Test(
    "a refusal is told as one",
    arguments: [
      #"{"choices":[{"message":{"content":null,"refusal":"I will\nnot."}}]}"#,
      #"{"choices":[{"message":{"content":"","refusal":"I will\nnot."}}]}"#,
      #"{"choices":[{"message":{"content":[{"type":"refusal","refusal":"I will\nnot."}]}}]}"#,
    ])
  func refusal(body: String) throws {
    let failure = try #require(problem(HTTPResponse(body)))
    #expect(failure.kind == .refused)
    #expect(failure.message.hasSuffix("I will not."))
    #expect(!failure.isTransient)
  }

  @Test("a filter is told as one, whether it took the answer or the question")
  func filtered() throws {
    let answer = try #require(
      problem(HTTPResponse(#"{"choices":[{"message":{"content":"ha"},"finish_reason":"content_filter"}]}"#)))
    #expect(answer.kind == .filtered)
    let question = try #require(
      problem(HTTPResponse(#"{"error":{"message":"policy","code":"content_filter"}}"#, status: 400)))
    #expect(question.kind == .filtered)
    #expect(question.httpStatus == 400)
    #expect(!question.isTransient)
  }

  @Test(
    "a status that is no success is told, with what the server says, and whether it may pass",
    arguments: [
      (400, #"{"error":{"message":"bad thing"}}"#, ModelFailure.Kind.http, false, "HTTP 400: bad thing"),
      (401, #"{"error":"who?"}"#, .http, false, "HTTP 401: who?"),
      (404, #"{"detail":"none"}"#, .http, false, "HTTP 404: none"),
      (408, "", .http, true, "HTTP 408"), (409, "", .http, true, "HTTP 409"),
      (422, #"{"message":"m"}"#, .http, false, "HTTP 422: m"),
      (429, #"{"error":{"message":"slow down"}}"#, .rateLimited, true, "HTTP 429: slow down"),
      (429, #"{"error":{"message":"pay","code":"insufficient_quota"}}"#, .rateLimited, false, "HTTP 429: pay"),
      (500, "oops\r\n\tat line 3", .http, true, "HTTP 500: oops at line 3"),
      (502, "<html>\n<b>x</b>", .http, true, "HTTP 502: <html> <b>x</b>"),
      (503, #"{"other":1}"#, .http, true, #"HTTP 503: {"other":1}"#), (307, "", .http, false, "redirect"),
      (304, "", .http, false, "HTTP 304"),
      (101, "", .http, false, "HTTP 101"),
    ])
  func statuses(status: Int, body: String, kind: ModelFailure.Kind, isTransient: Bool, text: String) throws {
    let failure = try #require(problem(HTTPResponse(body, status: status)))
    #expect(failure.kind == kind)
    #expect(failure.httpStatus == status)
    #expect(failure.isTransient == isTransient)
    #expect(failure.message.contains(text), "\(failure.message)")
    #expect(failure.retryAfterMilliseconds == nil)
  }

  @Test("the server's own word on trying again counts")
  func advice() throws {
    let no = HTTPResponse(
      "", status: 503, headers: [HTTPHeader("X-Should-Retry", "false"), HTTPHeader("Retry-After", "2")])
    #expect(try #require(problem(no)).isTransient == false)
    #expect(try #require(problem(no)).retryAfterMilliseconds == 2_000)
    let yes = HTTPResponse("", status: 400, headers: [HTTPHeader("x-should-retry", "true")])
    #expect(try #require(problem(yes)).isTransient)
  }

  @Test("what is quoted is one line of at most 200 bytes, cut between characters")
  func excerpt() throws {
    let body = "é\u{1b}[31m\u{85}\u{2028}" + String(repeating: "é", count: 400)
    let message = try #require(problem(HTTPResponse(body, status: 500))).message
    let quoted = try #require(message.components(after: "HTTP 500: "))
    #expect(quoted.hasPrefix("é [31m é"))
    #expect(quoted.hasSuffix("é…"))
    #expect(quoted.utf8.count <= 203)
    #expect(
      !message.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) || $0.value == 0x2028 })
  }

  @Test("no key and no value of an extra header is ever quoted")
  func secrets() throws {
    let headers = [HTTPHeader("X-Key", "abc/def+123"), HTTPHeader("Authorization", "Bearer tok-987654")]
    let told = #"{"error":{"message":"bad key \#(testKey), abc/def+123 or tok-987654"}}"#
    let page = String(repeating: "x", count: 190) + testKey + testKey
    for body in [told, page, #"{"raw":"abc\/def+123"}"#] {
      let message = try #require(problem(HTTPResponse(body, status: 401), headers: headers)).message
      #expect(!message.contains("sk-test") && !message.contains("def+123") && !message.contains("tok-98"), "\(message)")
      #expect(message.contains("***"))
    }
  }

  @Test("a key that servers without keys get is no secret")
  func placeholder() throws {
    let message = try #require(problem(HTTPResponse("EMPTY prompt", status: 400), key: "EMPTY")).message
    #expect(message.hasSuffix("HTTP 400: EMPTY prompt"))
  }

  @Test("whatever happens to an answer on its way, it is read or refused, in one line")
  func mutations() {
    var generator = SeededGenerator(seed: 20_251_121)
    let answers = [
      OpenAIChatDecoderTests.whole, #"{"error":{"message":"m","code":"c"}}"#,
      #"{"choices":[{"message":{"content":[{"type":"text","text":"a\u00e9"},{"type":"refusal","refusal":"r"}]}}],"#
        + #""usage":{"prompt_tokens":1}}"#,
      #"{"choices":[{"message":{"content":null,"refusal":"no","tool_calls":[{}]},"finish_reason":"length"}]}"#,
    ].map { Array($0.utf8) }
    let tooled = answers + [Array(OpenAIChatToolCallsTests.whole.utf8)]
    let interesting = Array(#"{}[]",:\u0e-+.tfn"#.utf8) + [0x00, 0x1f, 0x80, 0xc3, 0xed, 0xf0, 0xff]
    var read = 0
    var refused = 0
    for turn in 0..<20_000 {
      var bytes = tooled[turn % tooled.count]
      mutate(&bytes, with: interesting, &generator)
      let status = turn % 7 == 0 ? 500 : 200
      do {
        let answer = try OpenAIChatDecoder.decode(
          HTTPResponse(status: status, headers: [], body: bytes),
          question("gpt-4.1", tools: turn % 3 == 0 ? [] : [tool()]))
        read += 1
        for text in answer.calls.map({ $0.arguments }) + answer.calls.compactMap({ $0.opaque }) {
          if (try? JSON.parse(Array(text.bytes)))?.hasSameBytes(text) != true {
            Issue.record("no JSON: \(String(decoding: bytes, as: UTF8.self))")
          }
        }
        if (try? JSON.parse(Array(answer.text.bytes))) == nil || answer.text.kind != .string {
          Issue.record("the text is no string: \(String(decoding: bytes, as: UTF8.self))")
        }
      } catch {
        refused += 1
        if error.message.isEmpty || error.message.utf8.contains(where: { $0 < 0x20 }) {
          Issue.record("not a line: \(error.message)")
        }
      }
    }
    #expect(read > 500)
    #expect(refused > 5_000)
  }
}

extension String {
  fileprivate func components(after mark: String) -> String? {
    guard let range = firstRange(of: mark) else { return nil }
    return String(self[range.upperBound...])
  }
}
