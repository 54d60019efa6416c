import MusterHTTP
import MusterJSON
import Testing

@testable import MusterModels

/// A chunk whose delta has these elements as its tool calls.
private func calls(_ elements: String) -> String { chunk(#"{"tool_calls":[\#(elements)]}"#) }

/// An answer in deltas, as it is heard.
private func hear(_ deltas: [String], finish: String? = "tool_calls") -> Heard {
  hearEveryWay(deltas.map { chunk($0) }.joined() + chunk("{}", finish: finish), tools: [tool()])
}

/// A message as a whole, with and without a stream around it; both have to be the same.
private func read(_ message: String, finish: String = "tool_calls", tools: [ModelTool] = [tool()]) -> Heard {
  let body = #"{"model":"m","choices":[{"message":\#(message),"finish_reason":"\#(finish)"}]}"#
  let whole = MusterModelsTests.hear(
    [Array(body.utf8)], headers: [HTTPHeader("Content-Type", "application/json")], tools: tools)
  let streamed = hearEveryWay("data: \(body)\n\n", tools: tools)
  #expect(streamed.end == whole.end && streamed.calls == whole.calls)
  // A stream says its text before it fails.
  #expect(streamed.text == whole.text || whole.end.hasPrefix("invalidAnswer"))
  return whole
}

@Suite("Tool calls from the wire")
struct OpenAIChatToolCallsTests {
  static let told = "openai model gpt-4.1 at api.example.com: "
  static let whole =
    #"{"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"a","#
    + #""type":"function","function":{"name":"look_up","arguments":"{\"q\":1}"},"extra_content":{"s":[1]}},{"id":"a","#
    + #""function":{"name":"g","arguments":{"n":1.50}}}],"refusal":null,"annotations":[],"reasoning_content":"hm"},"#
    + #""finish_reason":"tool_calls"}]}"#

  @Test("the calls of a whole answer are read, with all that the provider put into them")
  func wholeAnswer() throws {
    let answer = try OpenAIChatDecoder.decode(HTTPResponse(Self.whole), question("m", tools: [tool()]))
    #expect(String(decoding: answer.text.bytes, as: UTF8.self) == "\"\"")
    #expect(answer.finishReason == "tool_calls")
    #expect(
      answer.calls.map { line($0) } == [
        #"a look_up "{\"q\":1}" {"extra_content":{"s":[1]}}"#, #"call_1 g "{\"n\":1.50}""#,
      ])
    #expect(answer.opaque.map { String(decoding: $0.bytes, as: UTF8.self) } == #"{"reasoning_content":"hm"}"#)
    let end = ModelAnswerEnd(of: answer)
    let again = end.answer(heard: [])
    #expect(again.calls.map { line($0) } == answer.calls.map { line($0) })
    #expect(again.opaque.map { Array($0.bytes) } == answer.opaque.map { Array($0.bytes) })
    #expect(again.text.string == "")
  }

  @Test(
    "a message is read the same whether it comes as an answer or as a chunk of a stream",
    arguments: [
      // As OpenAI and llama.cpp write it.
      (
        #"{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"a","function":{"name":"f","#
          + #""arguments":"{\"caf\u00e9\":\"\\n\"}"}}],"refusal":null,"annotations":[],"audio":null,"function_call":{}}"#,
        "", [#"a f "{\"caf\u00e9\":\"\\n\"}""#]
      ),
      // Text beside calls; no ids; arguments of any kind; a name twice.
      (
        #"{"content":"I ask.","tool_calls":[{"function":{"name":"f","arguments":{"a":"\""}}},{"function":{"name":"f"}},"#
          + #"{"function":{"name":"f","arguments":null}},{"function":{"name":"f","arguments":[1]}},null,7]}"#,
        "I ask.",
        [#"call_0 f "{\"a\":\"\\\"\"}""#, #"call_1 f """#, #"call_2 f """#, #"call_3 f "[1]""#]
      ),
      // All with one number; an id twice, and one that is taken.
      (
        #"{"content":"","tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"{}"}},"#
          + #"{"index":0,"id":"call_1","function":{"name":"f","arguments":"{}"}},"#
          + #"{"index":0,"id":7,"function":{"name":"g","arguments":"{"}}]}"#,
        "", [#"call_1 f "{}""#, #"call_1_ f "{}""#, #"call_2 g "{""#]
      ),
      // What else goes back.
      (
        #"{"reasoning_content":"","x":1.50,"none":null,"list":[],"thinking_blocks":[{"index":0,"type":"t","text":"a"},"#
          + #"{"index":0,"type":"t","text":"b"}],"r\u006fle":"user","tool_calls":[{"index":0,"id":"a","type":"function","#
          + #""function":{"name":"f","arguments":"{}"},"none":null,"extra_content":{"google":{"s":"\/"}}}]}"#,
        "",
        [
          #"a f "{}" {"extra_content":{"google":{"s":"\/"}}}"#,
          #"{"reasoning_content":"","x":1.50,"thinking_blocks":[{"index":0,"type":"t","text":"a"},"#
            + #"{"index":0,"type":"t","text":"b"}]}"#,
        ]
      ),
      // Nothing goes back without calls.
      (#"{"content":"hi","reasoning_content":"hm","tool_calls":[]}"#, "hi", []),
    ])
  func messages(message: String, text: String, expected: [String]) {
    let heard = read(message, finish: "stop")
    #expect(heard.string == text)
    #expect(heard.end == "stop m -")
    #expect(heard.calls == expected)
  }

  @Test("calls in pieces, as OpenAI streams them, are put together")
  func openAI() {
    let heard = hearEveryWay(
      OpenAIChatStreamTests.start
        + calls(#"{"index":0,"id":"a","type":"function","function":{"name":"look_up","arguments":""}}"#)
        + calls(#"{"index":0,"function":{"arguments":"{\"q"}}"#)
        + calls(#"{"index":0,"function":{"arguments":"\":\"caf\u00e9 \/ é\\n"}}"#)
        + calls(#"{"index":0,"function":{"arguments":"\"}"}}"#)
        + calls(#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}"#)
        + calls(#"{"index":1,"function":{"arguments":"{}"}}"#) + chunk("{}", finish: "tool_calls")
        + OpenAIChatStreamTests.usage + OpenAIChatStreamTests.done, tools: [tool()])
    #expect(heard.string == "")
    #expect(heard.end == "tool_calls gpt-4.1-2025 12+34")
    #expect(heard.calls == [#"a look_up "{\"q\":\"caf\u00e9 \/ é\\n\"}""#, #"b g "{}""#])
  }

  @Test(
    "what other servers stream is understood as well",
    arguments: [
      // Text before calls; an end with `stop`, as llama.cpp has had it.
      (
        [
          #"{"content":"I "}"#, #"{"content":"ask"}"#,
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#,
        ],
        "I ask", [#"a f """#]
      ),
      // Whole calls in one delta, and in one delta each.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},"#
            + #"{"index":1,"id":"b","function":{"name":"f","arguments":"{}"}}]}"#,
          #"{"tool_calls":[{"index":2,"id":"c","function":{"name":"f","arguments":"{}"}}]}"#,
        ], "", [#"a f "{}""#, #"b f "{}""#, #"c f "{}""#]
      ),
      // Two pieces of a call in one delta; pieces of calls in turns.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":0,"function":{"arguments":"{"}}]}"#,
          #"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"["}}]}"#,
          #"{"tool_calls":[{"index":0,"function":{"arguments":"}"}},{"index":1,"function":{"arguments":"]"}}]}"#,
        ], "", [#"a f "{}""#, #"b g "[]""#]
      ),
      // Without numbers: each id is a call, and what has none goes on with it.
      (
        [
          #"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}"#,
          #"{"tool_calls":[{"function":{"arguments":"}"}}]}"#,
          #"{"tool_calls":[{"id":"b","function":{"name":"f","arguments":"{}"}},{"id":"c","function":{"name":"g"}}]}"#,
        ], "", [#"a f "{}""#, #"b f "{}""#, #"c g """#]
      ),
      // Without numbers, the id with each piece.
      (
        [
          #"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}"#,
          #"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"}"}}]}"#,
        ], "", [#"a f "{}""#]
      ),
      // Without numbers and ids: each name is a call.
      (
        [
          #"{"tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},{"function":{"name":"f","arguments":{"a":2}}}]}"#,
          #"{"tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g","arguments":"{"}}]}"#,
          #"{"tool_calls":[{"function":{"arguments":"}"}}]}"#,
        ], "", [#"call_0 f "{\"a\":1}""#, #"call_1 f "{\"a\":2}""#, #"call_2 f """#, #"call_3 g "{}""#]
      ),
      // All calls are number 0: Gemini and gateways to it, with ids; others without.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
          #"{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}]}"#,
          #"{"tool_calls":[{"index":0,"function":{"name":"g","arguments":"{"}},{"index":0,"function":{"arguments":"}"}}]}"#,
          #"{"tool_calls":[{"index":0,"function":{"name":"h","arguments":{"a":1}}}]}"#,
          #"{"tool_calls":[{"index":0,"function":{"name":"h","arguments":{"a":2}}}]}"#,
        ], "",
        [#"a f "{}""#, #"b f "{}""#, #"call_2 g "{}""#, #"call_3 h "{\"a\":1}""#, #"call_4 h "{\"a\":2}""#]
      ),
      // The name is repeated (MiniMax), cut (Gemini), grows, or comes late with its id.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"look_up","arguments":"{"}}]}"#,
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"look_up","arguments":"}"}}]}"#,
          #"{"tool_calls":[{"index":0,"function":{"name":"look_up","arguments":""}}]}"#,
          #"{"tool_calls":[{"index":1,"id":"b","function":{"name":"look","arguments":""}}]}"#,
          #"{"tool_calls":[{"index":1,"id":"b","function":{"name":"_up"}}]}"#,
          #"{"tool_calls":[{"index":2,"id":"c","function":{"name":"look","arguments":""}}]}"#,
          #"{"tool_calls":[{"index":2,"id":"c","function":{"name":"look_up","arguments":""}}]}"#,
          #"{"tool_calls":[{"index":3,"id":"","function":{"name":"","arguments":""}}]}"#,
          #"{"tool_calls":[{"index":3,"id":"d","function":{"name":"f","arguments":""}}]}"#,
        ], "", [#"a look_up "{}""#, #"b look_up """#, #"c look_up """#, #"d f """#]
      ),
      // A new id with each piece (SGLang had that): the name comes once.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}"#,
          #"{"tool_calls":[{"index":0,"id":"x","function":{"name":null,"arguments":"}"}}]}"#,
        ], "", [#"a f "{}""#]
      ),
      // The same id for two calls.
      (
        [
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#,
          #"{"tool_calls":[{"index":1,"id":"a","function":{"name":"g"}}]}"#,
        ], "", [#"a f """#, #"call_1 g """#]
      ),
      // What else goes back: text in pieces, of other values the last.
      (
        [
          #"{"role":"assistant","content":"","reasoning_content":"Let "}"#, #"{"reasoning_content":"me\u00e9\n"}"#,
          #"{"content":null,"reasoning_content":"","n":1,"o":{"a":1},"l":["a"]}"#,
          #"{"reasoning":"x","n":2.50,"o":{"b":2},"l":["b"]}"#,
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"},"extra_content":{"s":"1"}}]}"#,
          #"{"tool_calls":[{"index":0,"signature":"ab","extra_content":{"s":"2"}}]}"#,
          #"{"tool_calls":[{"index":0,"signature":"cd"}]}"#,
        ], "",
        [
          #"a f "" {"extra_content":{"s":"2"},"signature":"abcd"}"#,
          #"{"reasoning_content":"Let me\u00e9\n","n":2.50,"o":{"b":2},"l":["b"],"reasoning":"x"}"#,
        ]
      ),
      // OpenRouter cuts the parts of a list; the signature comes last, and what is encrypted as a whole.
      (
        [
          #"{"reasoning_details":[{"type":"reasoning.text","text":"Let","format":"anthropic-claude-v1","index":0}]}"#,
          #"{"reasoning_details":[{"type":"reasoning.text","text":" me","format":"anthropic-claude-v1","index":0}]}"#,
          #"{"reasoning_details":[]}"#,
          #"{"reasoning_details":[{"type":"reasoning.text","signature":"Et","format":"anthropic-claude-v1","index":0}]}"#,
          #"{"reasoning_details":[{"type":"reasoning.encrypted","data":"x","id":"1","index":0}]}"#,
          #"{"reasoning_details":[{"type":"reasoning.encrypted","data":"y","id":"2","index":0},{"n":1},{"n":1}]}"#,
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#,
        ], "",
        [
          #"a f """#,
          #"{"reasoning_details":[{"type":"reasoning.text","text":"Let me","format":"anthropic-claude-v1","index":0,"#
            + #""signature":"Et"},{"type":"reasoning.encrypted","data":"x","id":"1","index":0},"#
            + #"{"type":"reasoning.encrypted","data":"y","id":"2","index":0},{"n":1},{"n":1}]}"#,
        ]
      ),
      // One value of another kind than before; a list that is none of objects.
      (
        [
          #"{"r":"a","l":[{"n":1}]}"#, #"{"r":5,"l":["x"]}"#, #"{"r":"b","l":[{"n":2}]}"#, #"{"r":"c","l":[{"n":3}]}"#,
          #"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#,
        ], "", [#"a f """#, #"{"r":"bc","l":[{"n":2},{"n":3}]}"#]
      ),
    ])
  func servers(deltas: [String], text: String, expected: [String]) {
    let heard = hear(deltas, finish: "stop")
    #expect(heard.string == text)
    #expect(heard.end == "stop gpt-4.1-2025 -")
    #expect(heard.calls == expected)
  }

  @Test("chunks that are alike but for their text lose nothing of what else is in them")
  func alike() {
    let deltas = [
      #"{"content":"a","r":"x","n":1}"#, #"{"content":"b","r":"x","n":1}"#, #"{"content":"c","r":"x","n":1}"#,
      #"{"content":"d","r":"","n":2}"#, #"{"content":"e","r":"","n":2}"#, #"{"content":"f","r":"","n":2}"#,
      #"{"content":"g","l":[{}]}"#, #"{"content":"h","l":[{}]}"#,
      #"{"content":"i","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}"#,
      #"{"content":"j","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}"#,
    ]
    let heard = hear(deltas)
    #expect(heard.string == "abcdefghij")
    #expect(heard.calls == [#"a f "11""#, #"{"r":"xxx","n":2,"l":[{},{}]}"#])
  }

  @Test("a message that repeats what was streamed is not read again")
  func repeated() {
    let message = #"{"content":null,"reasoning":"hm","tool_calls":[{"id":"a","function":{"name":"f"}}]}"#
    let last = #"data: {"choices":[{"message":\#(message),"finish_reason":"stop"}]}"# + "\n\n"
    let call = calls(#"{"index":0,"id":"a","function":{"name":"f"}}"#)
    let reasoning = chunk(#"{"reasoning":"hm"}"#)
    for body in [reasoning + call + last, reasoning + last] {
      #expect(hearEveryWay(body, tools: [tool()]).calls == [#"a f """#, #"{"reasoning":"hm"}"#])
    }
  }

  @Test(
    "calls that cannot be used are named",
    arguments: [
      (
        #"{"content":"so","tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}"#, "length",
        "used up in the middle of a tool call"
      ),
      (#"{"tool_calls":[{"id":"a","function":{"arguments":"{}"}}]}"#, "stop", "a tool call without a name"),
      (
        #"{"tool_calls":[{"id":"a","type":"custom","custom":{"name":"f","input":"x"}}]}"#, "stop",
        "a tool call without a name"
      ),
      (#"{"tool_calls":[{}]}"#, "stop", "a tool call without a name"),
      (#"{"tool_calls":[7]}"#, "stop", "cannot be read"),
      (#"{"tool_calls":7}"#, "stop", "cannot be read"), (#"{"tool_calls":[]}"#, "tool_calls", "no content"),
    ])
  func invalid(message: String, finish: String, named: String) {
    let whole = read(message, finish: finish)
    #expect(whole.end.hasPrefix("invalidAnswer 200 \(Self.told)"), "\(whole)")
    #expect(whole.end.contains(named), "\(whole)")
    #expect(hear([message], finish: finish).end == whole.end)
  }

  @Test("what is refused or filtered is told as that, whatever is asked for")
  func refused() {
    let calls = #""tool_calls":[{"id":"a","function":{"name":"f"}}]"#
    #expect(read(#"{"refusal":"No.",\#(calls)}"#).end == "refused 200 \(Self.told)the model refused: No.")
    #expect(read(#"{\#(calls)}"#, finish: "content_filter").end.hasPrefix("filtered 200"))
  }

  @Test("who offers no tools gets no calls: an answer with text is one, another is none")
  func unoffered() {
    let calls = #""reasoning":"hm","tool_calls":[{"id":"a","function":{"name":"f"}}]"#
    let said = read(#"{"content":"hi",\#(calls)}"#, tools: [])
    #expect(said.string == "hi" && said.calls == [] && said.end == "tool_calls m -")
    #expect(
      read(#"{"content":null,\#(calls)}"#, tools: []).end
        == "invalidAnswer 200 \(Self.told)the model asks for tools, and none were offered")
  }

  @Test("an answer that breaks off within its calls broke off")
  func brokenOff() {
    let call = calls(#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#)
    let heard = hearEveryWay(content("ab") + call, error: .broken("reset"), tools: [tool()])
    #expect(heard.end == "unreachable? 0 \(Self.told)the connection broke after 2 bytes of text: reset")
    #expect(hearEveryWay(call, tools: [tool()]).end.contains("the answer broke off after 0 bytes of text"))
  }

  @Test("an answer has at most 1,024 calls", arguments: [1_024, 1_025])
  func count(_ count: Int) {
    let elements = (0..<count).map { #"{"index":\#($0),"id":"i\#($0)","function":{"name":"f"}}"# }
    let stream = elements.map { calls($0) }.joined() + chunk("{}", finish: "tool_calls")
    let body = #"{"choices":[{"message":{"tool_calls":[\#(elements.joined(separator: ","))]}}]}"#
    for text in [stream, body] {
      let heard = Long.hear(text)
      if count > 1_024 {
        #expect(heard.end == "invalidAnswer 200 \(Self.told)the answer has more than 1024 tool calls")
      } else {
        #expect(heard.calls.count == count && heard.calls.last == #"i1023 f """#)
      }
    }
  }

  @Test("arguments and what else is kept of calls have at most 8 MiB each", arguments: [0, 1])
  func bytes(_ excess: Int) {
    let long = String(repeating: "x", count: 1_048_064)
    let rest = String(repeating: "y", count: 8 * 512 + excess)
    let begin = calls(#"{"index":0,"id":"a","function":{"name":"f"}}"#)
    let arguments = ([String](repeating: long, count: 8) + [rest]).map {
      calls(#"{"index":0,"function":{"arguments":"\#($0)"}}"#)
    }
    let told = "invalidAnswer 200 \(Self.told)the tool calls of the answer are longer than 8388608 bytes"
    let heard = Long.hear(begin + arguments.joined() + chunk("{}", finish: "stop"))
    #expect(heard.end == (excess == 0 ? "stop gpt-4.1-2025 -" : told))
    #expect(excess == 1 || heard.calls.first?.utf8.count == 8_388_608 + 6)

    // What is repeated with each piece is kept once.
    let repeated = #"{"index":0,"id":"\#(long)","function":{"name":"f","arguments":"x"}}"#
    let pieces = [String](repeating: calls(repeated), count: 9)
    #expect(Long.hear(pieces.joined() + chunk("{}", finish: "stop")).calls == [long + " f \"xxxxxxxxx\""])

    // Beyond that nothing is kept, so that the rest of a long answer costs nothing; without calls it is an answer.
    let thought = (0..<9).map { _ in chunk(#"{"reasoning":"\#(long)"}"#) }.joined()
    #expect(Long.hear(thought + begin + chunk("{}", finish: "stop")).end == told)
    #expect(Long.hear(content("a") + thought + begin + chunk("{}", finish: "stop")).end == told)
    #expect(Long.hear(thought + content("a") + chunk("{}", finish: "stop")).end == "stop gpt-4.1-2025 -")
  }
}

/// An answer that is too long to be cut everywhere.
private enum Long {
  static func hear(_ text: String) -> Heard {
    MusterModelsTests.hear([Array(text.utf8)], tools: [tool()])
  }
}
