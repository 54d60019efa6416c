import MusterHTTP
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterModels

/// What was heard of an answer, and how it ended.
struct Heard: Equatable, CustomStringConvertible {
  var text: [UInt8] = []
  var end = ""
  /// The calls, a line each, and behind them what else goes back.
  var calls: [String] = []

  var string: String { String(decoding: text, as: UTF8.self) }
  var description: String { "\(string)|\(end)\(calls)" }

  mutating func end(_ outcome: ModelOutcome?) {
    switch outcome {
    case nil: end = "goes on"
    case .answered(let answer):
      let usage = answer.hasUsage ? "\(answer.promptTokens)+\(answer.completionTokens)" : "-"
      end = "\(answer.finishReason ?? "-") \(answer.model ?? "-") \(usage)"
      calls = answer.calls.map { line($0) }
      if let opaque = answer.opaque { calls.append(String(decoding: opaque.bytes, as: UTF8.self)) }
    case .failed(let failure):
      let wait = failure.retryAfterMilliseconds.map { " wait \($0)" } ?? ""
      let kind = name(failure.kind) + (failure.isTransient ? "?" : "")
      end = "\(kind) \(failure.httpStatus ?? 0)\(wait) \(failure.message)"
    }
  }
}

private func name(_ kind: ModelFailure.Kind) -> String {
  if case .interrupted(let reason) = kind { return "interrupted(\(reason))" }
  return "\(kind)"
}

let eventStream = [HTTPHeader("content-type", "text/event-stream; charset=utf-8")]

/// Reads an answer that comes in such pieces.
func hear(
  _ pieces: [[UInt8]], status: Int = 200, headers: [HTTPHeader] = eventStream, key: String? = testKey,
  error: HTTPError? = nil, tools: [ModelTool] = []
) -> Heard {
  var stream = OpenAIChatStream(
    question("gpt-4.1", endpoint("https://api.example.com/v1", key: key), tools: tools), status: status,
    headers: headers)
  var heard = Heard()
  for piece in pieces {
    let text = stream.read(piece)
    if !UTF8Check.isValid(text) { Issue.record("not whole characters: \(text)") }
    heard.text += text
  }
  heard.text += stream.finish(error)
  heard.end(stream.outcome)
  return heard
}

/// Reads an answer as a whole and cut at every place, and byte by byte; all of them have to be the same.
func hearEveryWay(
  _ text: String, status: Int = 200, headers: [HTTPHeader] = eventStream, error: HTTPError? = nil,
  tools: [ModelTool] = []
) -> Heard {
  let bytes = Array(text.utf8)
  let whole = hear([bytes], status: status, headers: headers, error: error, tools: tools)
  for place in 0...bytes.count {
    let cut = hear(
      [Array(bytes[..<place]), Array(bytes[place...])], status: status, headers: headers, error: error, tools: tools)
    if cut != whole { Issue.record("cut at \(place): \(cut), not \(whole)") }
  }
  let single = hear(bytes.map { [$0] }, status: status, headers: headers, error: error, tools: tools)
  if single != whole { Issue.record("byte by byte: \(single), not \(whole)") }
  return whole
}

/// The answer with a blank more before each chunk.
func blanked(_ bytes: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  for (place, byte) in bytes.enumerated() {
    if byte == UInt8(ascii: "{"), bytes[..<place].suffix(6).elementsEqual("data: ".utf8),
      place == 6 || bytes[place - 7] == UInt8(ascii: "\n")
    {
      result.append(0x20)
    }
    result.append(byte)
  }
  return result
}

/// A chunk with this delta, as OpenAI sends it.
func chunk(_ delta: String, finish: String? = nil, more: String = "") -> String {
  let finish = finish.map { "\"\($0)\"" } ?? "null"
  return #"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-2025","choices":"#
    + #"[{"index":0,"delta":\#(delta),"logprobs":null,"finish_reason":\#(finish)}]\#(more)}"# + "\n\n"
}

func content(_ text: String) -> String { chunk(#"{"content":"\#(text)"}"#) }

@Suite("Streamed answers from the wire")
struct OpenAIChatStreamTests {
  static let usage =
    #"data: {"id":"c","model":"gpt-4.1-2025","choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34}}"#
    + "\n\n"
  static let start = chunk(#"{"role":"assistant","content":"","refusal":null}"#, more: #","usage":null"#)
  static let stop = chunk("{}", finish: "stop")
  static let done = "data: [DONE]\n\n"
  static let told = "openai model gpt-4.1 at api.example.com: "

  @Test("an answer in pieces is read, wherever they are cut")
  func whole() {
    let heard = hearEveryWay(
      Self.start + content(#"caf\u00e9 "#) + content(#"\/ \ud83d\ude00 "#) + content("h\u{e9} \u{1f600} ")
        + content(#"\"q\"\n"#) + Self.stop + Self.usage + Self.done)
    #expect(heard.string == "café / 😀 hé 😀 \"q\"\n")
    #expect(heard.end == "stop gpt-4.1-2025 12+34")
  }

  @Test("chunks that are alike but for their text are read as others are")
  func alike() {
    let chunks = [
      content("a"), content(" bé"), content(#"\n"#), content(""), content(#"c\"d"#), content("e"),
      chunk(#"{"content":"f"}"#, more: #","usage":{"prompt_tokens":1,"completion_tokens":1}"#),
      chunk(#"{"content":"g"}"#, more: #","usage":{"prompt_tokens":1,"completion_tokens":2}"#),
      chunk(#"{"content":"h","refusal":"no"}"#), chunk(#"{"content":"i","refusal":"no"}"#), content("j"), Self.stop,
      content("k"), chunk(#"{"content":"l"}"#, finish: "length"), chunk(#"{"content":"m"}"#, finish: "length"),
    ]
    let heard = hearEveryWay(chunks.joined())
    #expect(heard.string == "a bé\nc\"defghijklm")
    #expect(heard.end == "length gpt-4.1-2025 1+2")
    #expect(hear([blanked(Array(chunks.joined().utf8))]) == heard)
    let two = #"data: {"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}"# + "\n\n"
    #expect(hearEveryWay(two + two + Self.stop).string == "abab")
    #expect(hearEveryWay(content("a") + content("b\t") + Self.stop).end.contains("not usable JSON"))
  }

  @Test("each piece is told when it has come, and the end with its mark")
  func timely() {
    var stream = OpenAIChatStream(question("gpt-4.1"), status: 200, headers: eventStream)
    #expect(stream.read(Array(Self.start.utf8)) == [])
    #expect(stream.read(Array((content("one") + content(" two")).utf8)) == Array("one two".utf8))
    #expect(stream.read(Array((Self.stop + Self.usage).utf8)) == [])
    #expect(stream.outcome == nil)
    _ = stream.read(Array(Self.done.utf8))
    #expect(stream.outcome != nil)
    #expect(stream.read(Array(content(" late").utf8)) == [])
    #expect(stream.finish(.broken("reset")) == [])
    guard case .answered = stream.outcome else {
      Issue.record("what comes behind the end changes nothing")
      return
    }
  }

  @Test("what was heard makes the answer, as it is printed")
  func joined() throws {
    let end = ModelAnswerEnd(finishReason: "stop", model: "m", promptTokens: 1, completionTokens: 2, hasUsage: true)
    let answer = end.answer(heard: Array("café \"q\"\n😀".utf8))
    #expect(String(decoding: answer.text.bytes, as: UTF8.self) == #""café \"q\"\n😀""#)
    #expect(answer.finishReason == "stop" && answer.model == "m" && answer.hasUsage)
    #expect(answer.promptTokens == 1 && answer.completionTokens == 2)
    let empty = end.answer(heard: [])
    #expect(String(decoding: empty.text.bytes, as: UTF8.self) == #""""#)
  }

  @Test(
    "what servers do in their own way is understood",
    arguments: [
      // No usage; none, but the mark; no mark; no empty line behind the last.
      (start + content("a") + stop + done, "a", "stop gpt-4.1-2025 -"),
      (content("a") + done, "a", "- gpt-4.1-2025 -"),
      (content("a") + stop, "a", "stop gpt-4.1-2025 -"),
      (content("a") + String(stop.dropLast()), "a", "stop gpt-4.1-2025 -"),
      (content("a") + "data: [DONE]", "a", "- gpt-4.1-2025 -"),
      (content("a") + stop + "data: [DO", "a", "stop gpt-4.1-2025 -"),
      (content("a") + "data: [DONE] \n\n", "a", "- gpt-4.1-2025 -"),
      // Keep-alives, empty events, and what is not known.
      (
        ": OPENROUTER PROCESSING\n\n" + content("a") + ": ping\n\ndata:\n\ndata:  \n\n" + stop, "a",
        "stop gpt-4.1-2025 -"
      ),
      (
        "event: completion\nid: 1\n" + content("a") + #"data: {"type":"ping"}"# + "\n\n" + stop, "a",
        "stop gpt-4.1-2025 -"
      ),
      // Usage in each chunk, in the last of the content, in parts.
      (
        chunk(#"{"content":"a"}"#, more: #","usage":{"prompt_tokens":1,"completion_tokens":1}"#)
          + chunk(#"{"content":"b"}"#, finish: "stop", more: #","usage":{"prompt_tokens":1,"completion_tokens":2}"#),
        "ab", "stop gpt-4.1-2025 1+2"
      ),
      (
        content("a") + stop + #"data: {"usage":{"prompt_tokens":-4,"completion_tokens":2.5}}"# + "\n\n", "a",
        "stop gpt-4.1-2025 0+0"
      ),
      // Azure: what its filter says of the question comes first, and of the answer last.
      (
        #"data: {"choices":[],"id":"","model":"","prompt_filter_results":[{"prompt_index":0}]}"# + "\n\n" + content("a")
          + stop + #"data: {"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{}}],"model":""}"#
          + "\n\n" + done, "a", "stop gpt-4.1-2025 -"
      ),
      // Content that is null, missing, or in parts; thoughts; no delta; no index; other choices.
      (
        chunk(#"{"role":"assistant","content":null}"#) + chunk("null") + chunk(#"{"reasoning_content":"hm"}"#)
          + chunk(
            #"{"content":[{"type":"thinking","text":"hm"},{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#)
          + chunk(#"{"content":7}"#) + stop, "ab", "stop gpt-4.1-2025 -"
      ),
      (
        #"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n"
          + #"data: {"choices":[{"index":1,"delta":{"content":"no"},"finish_reason":"stop"}]}"# + "\n\n"
          + #"data: {"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"b"}}]}"# + "\n\n"
          + #"data: {"choices":[{"index":null,"finish_reason":"length","delta":{}}]}"# + "\n\n", "ab", "length - -"
      ),
      (#"data: {"choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}"# + "\n\n", "all", "stop - -"),
      (
        content("all") + #"data: {"choices":[{"message":{"content":"all"},"finish_reason":"stop"}]}"# + "\n\n", "all",
        "stop gpt-4.1-2025 -"
      ),
      // One event in several lines; another end of lines; a byte order mark.
      (
        "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"},\ndata: \"finish_reason\":\"stop\"}]}\n\n", "a",
        "stop - -"
      ),
      (
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\n\r\n: x\r\n\r\n", "a",
        "stop - -"
      ),
      ("\u{feff}" + content("a") + stop, "a", "stop gpt-4.1-2025 -"),
      // Nothing said, but said so.
      (start + stop + done, "", "stop gpt-4.1-2025 -"),
      (
        chunk(#"{"content":"a","tool_calls":[{"id":"1"}]}"#) + chunk(#"{"refusal":"no"}"#, finish: "tool_calls"), "a",
        "tool_calls gpt-4.1-2025 -"
      ),
      (#"data: {"error":null,"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"# + "\n\n", "a", "stop - -"),
    ])
  func dialects(body: String, text: String, end: String) {
    #expect(hearEveryWay(body) == Heard(text: Array(text.utf8), end: end))
  }

  @Test(
    "an answer that lacks its end broke off, which may not happen again",
    arguments: [
      ("", 0), (": ping\n\n", 0), (start, 0), (start + content("café"), 5),
      (content("ab") + content("cd").dropLast(9), 2), (content("ab") + #"data: {"choi"#, 2), (usage, 0),
    ])
  func brokenOff(body: String, bytes: Int) {
    let heard = hearEveryWay(body)
    #expect(heard.text.count == bytes)
    #expect(heard.end == "unreachable? 200 \(Self.told)the answer broke off after \(bytes) bytes of text")
    let reset = hearEveryWay(body, error: .broken("reset"))
    #expect(
      reset.end == "unreachable? 0 \(Self.told)the connection broke after \(bytes) bytes of text: reset")
    let late = hearEveryWay(body, error: .timedOut)
    #expect(
      late.end == "timedOut 0 \(Self.told)the answer was not whole in time, broken off after \(bytes) bytes of text")
  }

  @Test("an answer whose end was told is whole, however the connection ended; unless its caller had ended it")
  func ended() {
    for error in [HTTPError.broken("reset"), .timedOut, .tooLarge(9)] {
      #expect(hearEveryWay(content("a") + Self.stop, error: error).end == "stop gpt-4.1-2025 -")
    }
    let stopped = hearEveryWay(content("a") + Self.stop, error: .interrupted(.stopped))
    #expect(stopped.end == "interrupted(stopped) 0 \(Self.told)interrupted")
    #expect(hearEveryWay(Self.start, error: .interrupted(.closing)).end.hasPrefix("interrupted"))
    #expect(hearEveryWay(content("a") + Self.stop + Self.done, error: .interrupted(.stopped)).end.hasPrefix("stop"))
  }

  @Test(
    "an error within the stream is told with its words, and whether it may pass",
    arguments: [
      // OpenAI; vLLM; OpenRouter; LiteLLM; an older vLLM; others.
      (
        #"data: {"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#,
        "invalidAnswer? 200", "The server had an error"
      ),
      (#"data: {"error":{"object":"error","message":"m","type":"BadRequestError","code":400}}"#, "http 400", "m"),
      (
        #"data: {"id":"g","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":"#
          + #"{"content":""},"finish_reason":"error"}]}"#, "http? 502", "Provider disconnected"
      ),
      (#"data: {"error":{"message":"m","type":"None","code":"429"}}"#, "rateLimited? 429", "m"),
      (#"data: {"object":"error","message":"m","code":503}"#, "http? 503", "m"),
      (#"data: {"error":{"message":"m","code":"rate_limit_exceeded"}}"#, "rateLimited? 429", "m"),
      (#"data: {"error":{"message":"m","type":"insufficient_quota","code":429}}"#, "rateLimited 429", "m"),
      (#"data: {"error":{"message":"m","code":"content_filter"}}"#, "filtered 200", "m"),
      (#"data: {"error":"m","error_type":"overloaded_error"}"#, "invalidAnswer? 200", "m"),
      (#"data: {"error":{"message":"m","code":12}}"#, "invalidAnswer 200", "m"),
      (#"data: {"error":{"message":"m","code":99999999999999}}"#, "invalidAnswer 200", "m"),
      // llama.cpp until September 2025, and an event by its name.
      (
        #"error: {"code":400,"message":"the request exceeds","type":"invalid_request_error"}"#, "http 400",
        "the request exceeds"
      ),
      ("error: plain words", "invalidAnswer 200", "plain words"),
      ("event: error\ndata: {\"message\":\"m\"}", "invalidAnswer 200", "m"),
      ("event: error\ndata: {\"x\":1}", "invalidAnswer 200", "{\"x\":1}"),
    ])
  func errors(event: String, kind: String, text: String) {
    let first = hearEveryWay(event + "\n\n" + Self.done)
    #expect(first.text == [])
    #expect(first.end == "\(kind) \(Self.told)the answer is an error: \(text)")
    let later = hearEveryWay(Self.start + content("café") + event + "\n\n" + content("more"))
    #expect(later.string == "café")
    #expect(later.end == "\(kind) \(Self.told)the answer broke off after 5 bytes of text with an error: \(text)")
  }

  @Test(
    "what cannot be used is named",
    arguments: [
      (content(#"a\u0000b"#), "invalidAnswer 200", "\\u0000"),
      ("data: {\"n\":12345678901234567890123}\n\n", "invalidAnswer 200", "too big integer"),
      (content("a") + "data: {\n\n", "invalidAnswer 200", "not usable JSON"),
      ("data: [1]\n\n", "invalidAnswer 200", "not a JSON object"),
      ("data: " + String(repeating: "[", count: 200) + "\n\n", "invalidAnswer 200", "nested deeper than 128"),
      (content(#"\ud83d"#), "invalidAnswer 200", "invalid Unicode escape"),
      (
        start + chunk(#"{"tool_calls":[{"index":0,"id":"1"}]}"#) + chunk("{}", finish: "tool_calls"),
        "invalidAnswer 200", "asks for tools"
      ),
      (stop, "invalidAnswer 200", "no content"), (done, "invalidAnswer 200", "no content"),
      (chunk("{}", finish: "length"), "invalidAnswer 200", "used up before"),
      (start + chunk(#"{"refusal":"I will"}"#) + chunk(#"{"refusal":"\nnot."}"#) + stop, "refused 200", "I will not."),
      (chunk(#"{"content":[{"type":"refusal","refusal":"No."}]}"#) + stop, "refused 200", "No."),
      (content("ha") + chunk("{}", finish: "content_filter") + done, "filtered 200", "filter took the answer away"),
      (content("ha") + chunk("{}", finish: "content_filter") + stop, "filtered 200", "filter took the answer away"),
    ])
  func invalid(body: String, kind: String, named: String) {
    let heard = hearEveryWay(body)
    #expect(heard.end.hasPrefix("\(kind) \(Self.told)"), "\(heard)")
    #expect(heard.end.contains(named), "\(heard)")
  }

  @Test("bytes that are not UTF-8 are no text")
  func badUTF8() {
    let bytes = Array(content("a@b").utf8).map { $0 == UInt8(ascii: "@") ? 0xff : $0 }
    let heard = hear([bytes])
    #expect(heard.text == [])
    #expect(heard.end.contains("UTF-8"))
  }

  @Test("a line that does not end is not waited for without end")
  func endless() {
    let pieces = [Array(content("a").utf8)] + [[UInt8]](repeating: [UInt8](repeating: 0x78, count: 65_536), count: 17)
    let heard = hear(pieces)
    #expect(heard.string == "a")
    #expect(heard.end == "invalidAnswer 200 \(Self.told)a line of the answer is longer than 1048576 bytes")
  }

  @Test(
    "an answer that is not streamed is read as others are, whatever it calls itself",
    arguments: ["application/json", "text/event-stream", "text/plain", nil] as [String?])
  func whole(type: String?) {
    let headers = type.map { [HTTPHeader("Content-Type", $0)] } ?? []
    let answer = hearEveryWay(
      "\n" + #"{"model":"m","choices":[{"message":{"content":"caf\u00e9"},"finish_reason":"stop"}],"usage":"#
        + #"{"prompt_tokens":1,"completion_tokens":2}}"#, headers: headers)
    #expect(answer.string == "café")
    #expect(answer.end == "stop m 1+2")
    let error = hearEveryWay(#"{"error":{"message":"no room"}}"#, headers: headers)
    #expect(error.end == "invalidAnswer 200 \(Self.told)the answer is an error: no room")
    #expect(hearEveryWay("<html>x</html>", headers: headers).end.contains("the answer is a page"))
    #expect(hearEveryWay(#"{"choi"#, headers: headers).end.contains("not usable JSON"))
    #expect(hearEveryWay(#"{"choi"#, headers: headers, error: .broken("x")).end.contains("the connection broke: x"))
    let streamed = hearEveryWay(": x\n\n" + content("a") + Self.stop, headers: headers)
    #expect(streamed.string == "a" && streamed.end == "stop gpt-4.1-2025 -")
  }

  @Test("an answer without a body is none")
  func empty() {
    #expect(hear([], headers: []).end.contains("broke off after 0 bytes"))
    #expect(hear([], headers: [HTTPHeader("Content-Type", "application/json")]).end.contains("not usable JSON"))
    #expect(hearEveryWay("oops", headers: [HTTPHeader("Content-Type", "text/plain")]).end.contains("not usable JSON"))
  }

  @Test("a status that is no success is told as of other answers")
  func statuses() {
    let busy = [HTTPHeader("Content-Type", "application/json"), HTTPHeader("Retry-After", "2")]
    #expect(
      hearEveryWay(#"{"error":{"message":"slow down"}}"#, status: 429, headers: busy).end
        == "rateLimited? 429 wait 2000 \(Self.told)HTTP 429: slow down")
    #expect(hearEveryWay("data: x\n\n", status: 500).end == "http? 500 \(Self.told)HTTP 500: data: x")
    #expect(hearEveryWay("", status: 404).end == "http 404 \(Self.told)HTTP 404")
    #expect(hearEveryWay("", status: 307).end.contains("redirect"))
    #expect(hearEveryWay("x", status: 503, error: .timedOut).end == "timedOut 0 \(Self.told)no answer in time")
    let endless = [[UInt8]](repeating: [UInt8](repeating: 0x78, count: 65_536), count: 17)
    #expect(hear(endless, status: 502).end.hasPrefix("http? 502 \(Self.told)HTTP 502: xxx"))
  }

  @Test("no key is ever quoted")
  func secrets() {
    for body in [
      #"data: {"error":{"message":"bad key \#(testKey)"}}"#, "error: \(testKey)",
      chunk(#"{"refusal":"\#(testKey.prefix(9))"}"#) + chunk(#"{"refusal":"\#(testKey.dropFirst(9))"}"#) + Self.stop,
    ] {
      let end = hearEveryWay(body + "\n\n").end
      #expect(end.contains("***") && !end.contains("sk-test"), "\(end)")
    }
  }

  @Test("whatever happens to an answer on its way, it is read the same in any pieces, or refused in one line")
  func mutations() {
    var generator = SeededGenerator(seed: 20_251_122)
    let answers = [
      Self.start + content(#"caf\u00e9"#) + content("h\u{e9}") + Self.stop + Self.usage + Self.done,
      content("a") + #"data: {"error":{"message":"m","code":500}}"# + "\n\n",
      ": x\r\n\r\nevent: e\r\ndata: {\"choices\":\r\ndata: [{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n" + Self.stop,
      chunk(#"{"refusal":"no"}"#) + chunk(#"{"tool_calls":[{}]}"#, finish: "length"),
      #"{"choices":[{"message":{"content":"whole"},"finish_reason":"stop"}]}"#,
      chunk(#"{"content":"a","r":"x"}"#) + chunk(#"{"content":"b","r":"x"}"#) + chunk(#"{"content":"c","r":"x"}"#)
        + chunk(#"{"tool_calls":[{"index":0,"id":"1","function":{"name":"f","arguments":"{\"a\":"},"o":[{}]}]}"#)
        + chunk(#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"},"o":[{}]},{"function":{"name":"g"}}]}"#)
        + Self.stop,
    ].map { Array($0.utf8) }
    let interesting = Array("{}[]\",:\\u0e-+.tfn\r\n\n\nd ".utf8) + [0x00, 0x80, 0xc3, 0xef, 0xbb, 0xbf, 0xff]
    var read = 0
    var refused = 0
    for turn in 0..<20_000 {
      var bytes = answers[turn % answers.count]
      mutate(&bytes, with: interesting, &generator)
      var pieces: [[UInt8]] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...40, using: &generator)
        pieces.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      let status = turn % 7 == 0 ? 500 : 200
      let tools = turn % 2 == 0 ? [tool()] : []
      let whole = hear([bytes], status: status, tools: tools)
      if hear(pieces, status: status, tools: tools) != whole {
        Issue.record("read otherwise in pieces: \(String(decoding: bytes, as: UTF8.self))")
      }
      // With a blank before it no chunk is taken for one like the last.
      let plain = hear([blanked(bytes)], status: status, tools: tools)
      if status == 200, plain.text != whole.text { Issue.record("otherwise each by itself: \(whole), not \(plain)") }
      guard whole.end.contains(Self.told) else {
        if plain != whole { Issue.record("ends otherwise each by itself: \(whole), not \(plain)") }
        read += 1
        continue
      }
      refused += 1
      if whole.end.utf8.contains(where: { $0 < 0x20 }) { Issue.record("not a line: \(whole.end)") }
    }
    #expect(read > 500)
    #expect(refused > 5_000)
  }
}
