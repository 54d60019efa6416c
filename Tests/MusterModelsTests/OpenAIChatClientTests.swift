import Foundation
import MusterHTTP
import MusterJSON
import MusterModels
import MusterSystem
import TestSupport
import Testing

@Suite("Asking a model over HTTP")
struct OpenAIChatClientTests {
  let server: ModelServer
  let client: any ModelClient = OpenAIChatClient(http: HTTPClient(), loop: HTTPLoop())

  init() throws { server = try ModelServer() }

  private func answer(
    _ model: String, _ messages: [ModelMessage]? = nil, key: String? = testKey, headers: [HTTPHeader] = []
  ) throws(ModelFailure) -> ModelAnswer {
    let request = question(model, endpoint(server.base, key: key, headers: headers), messages)
    return try client.ask(request, deadline: .after(milliseconds: 20_000), interrupt: Interrupt(), tick: nil)
  }

  private func problem(
    _ model: String, _ base: String? = nil, within milliseconds: Int64 = 20_000, interrupt: Interrupt = Interrupt(),
    tick: (() -> Bool)? = nil
  ) -> ModelFailure? {
    do {
      _ = try client.ask(
        question(model, endpoint(base ?? server.base)), deadline: .after(milliseconds: milliseconds),
        interrupt: interrupt,
        tick: tick)
      return nil
    } catch {
      return error
    }
  }

  @Test("an answer comes with its text, reason, model and usage")
  func answer() throws {
    let answer = try answer("echo")
    #expect(answer.text.string == "echo: hello there")
    #expect(answer.finishReason == "stop")
    #expect(answer.model == "echo")
    #expect(answer.promptTokens == 2)
    #expect(answer.completionTokens == 3)
    #expect(answer.hasUsage)
  }

  @Test("the model sees the whole conversation as it was written")
  func transcript() throws {
    let messages: [ModelMessage] = [
      .text(.system, .string("be brief")),
      .text(.user, .string("héllo \"x\"\n")),
      .text(.assistant, .string("hi")), .text(.user, .string("more")),
    ]
    #expect(
      try answer("transcript", messages).text.string
        == #"[{"role":"system","content":"be brief"},{"role":"user","content":"héllo \"x\"\n"},"#
        + #"{"role":"assistant","content":"hi"},{"role":"user","content":"more"}]"#)
    #expect(try answer("script:one|two|three", messages).text.string == "two")
  }

  @Test("the server sees the key, our name, and the extra headers")
  func headers() throws {
    let text = try answer("headers", headers: [HTTPHeader("X-Team", "blue")]).text.string ?? ""
    let seen = try JSON.parse(Array(text.utf8))
    #expect(seen["authorization"]?.string == "Bearer \(testKey)")
    #expect(seen["user-agent"]?.string == "muster/0.1.0")
    #expect(seen["content-type"]?.string == "application/json")
    #expect(seen["accept"]?.string == "application/json")
    #expect(seen["x-team"]?.string == "blue")
    let keyless = try JSON.parse(Array((try answer("headers", key: nil).text.string ?? "").utf8))
    #expect(keyless["authorization"] == nil)
  }

  @Test(
    "unusual answers are answers",
    arguments: [
      ("parts", "one and two", "stop", true), ("length", "cut off in the mid", "length", true),
      ("nousage", "no numbers", "stop", false), ("interim", "at last", "stop", true),
    ])
  func unusual(model: String, text: String, reason: String, hasUsage: Bool) throws {
    let answer = try answer(model)
    #expect(answer.text.string == text)
    #expect(answer.finishReason == reason)
    #expect(answer.hasUsage == hasUsage)
  }

  @Test(
    "what cannot be used is told, and not worth another try",
    arguments: [
      ("html", ModelFailure.Kind.invalidAnswer, "page"), ("halfjson", .invalidAnswer, "not usable JSON"),
      ("nul", .invalidAnswer, "\\u0000"), ("bigint", .invalidAnswer, "too big integer"),
      ("deep", .invalidAnswer, "128"),
      ("badutf8", .invalidAnswer, "UTF-8"), ("empty", .invalidAnswer, "no choices"),
      ("nocontent", .invalidAnswer, "no content"),
      ("tools", .invalidAnswer, "tools"), ("endless", .invalidAnswer, "67108864"),
      ("refusal", .refused, "I cannot help with that."),
      ("filter", .filtered, "filter"), ("redirect", .http, "HTTP 307"), ("status:400", .http, "status 400 on demand"),
      ("status:401", .http, "status 401 on demand"), ("nosuch", .http, "does not exist"),
    ])
  func unusable(model: String, kind: ModelFailure.Kind, text: String) throws {
    let failure = try #require(problem(model))
    #expect(failure.kind == kind)
    #expect(failure.message.contains(text), "\(failure.message)")
    #expect(failure.message.hasPrefix("openai model \(model) at 127.0.0.1:\(server.port): "))
    #expect(!failure.isTransient)
  }

  @Test(
    "what may pass is told as such",
    arguments: [
      ("hangup", ModelFailure.Kind.unreachable, nil, nil), ("half", .unreachable, nil, nil),
      ("garbage", .unreachable, nil, nil),
      ("status:408", .http, 408, nil), ("status:409", .http, 409, nil), ("status:429:2", .rateLimited, 429, 2_000),
      ("status:500", .http, 500, nil), ("html:502", .http, 502, nil), ("status:503:600", .http, 503, 60_000),
    ] as [(String, ModelFailure.Kind, Int?, Int64?)])
  func transient(model: String, kind: ModelFailure.Kind, status: Int?, retryAfter: Int64?) throws {
    let failure = try #require(problem(model))
    #expect(failure.kind == kind)
    #expect(failure.httpStatus == status)
    #expect(failure.isTransient)
    #expect(failure.retryAfterMilliseconds == retryAfter)
  }

  @Test("one question is one request: trying again is left to the caller")
  func oneAttempt() throws {
    #expect(problem("flaky:1:503:once")?.httpStatus == 503)
    #expect(try server.observed().requests == 1)
    #expect(try answer("flaky:1:503:once").text.string == "recovered after 1")
  }

  @Test("a host that cannot be reached may be later")
  func unreachable() throws {
    let failure = try #require(problem("echo", "http://127.0.0.1:1/v1"))
    #expect(failure.kind == .unreachable)
    #expect(failure.isTransient)
    #expect(failure.httpStatus == nil)
    #expect(failure.message.hasPrefix("openai model echo at 127.0.0.1:1: cannot connect: "))
  }

  @Test("a deadline, an interrupt and a caller who gives up are told apart, and none is worth another try")
  func ended() throws {
    #expect(problem("hang", within: 150)?.kind == .timedOut)
    #expect(problem("hang", tick: { false })?.kind == .abandoned)
    let interrupt = Interrupt()
    Thread.detachNewThread {
      usleep(100_000)
      interrupt.fire(.stopped)
    }
    let stopped = try #require(problem("hang", interrupt: interrupt))
    #expect(stopped.kind == .interrupted(.stopped))
    #expect(!stopped.isTransient)
    #expect(problem("echo", interrupt: interrupt)?.kind == .interrupted(.stopped))
    #expect(try server.observed { $0.disconnects.count == 3 }.disconnects.count == 3)
  }

  @Test("a base that is no URL is a matter of configuration")
  func badBase() throws {
    let failure = try #require(problem("echo", "nonsense"))
    #expect(failure.kind == .notConfigured)
    #expect(!failure.isTransient)
  }
}
