import Foundation
import MusterHTTP
import MusterJSON
import MusterModels
import MusterSystem
import TestSupport
import Testing

@Suite("Hearing a model over HTTP")
final class StreamedAnswerTests {
  /// Shared: what it has seen is not looked at where others may be seen.
  private var server: ModelServer
  private let loop = HTTPLoop()
  private let client: any ModelClient

  init() throws {
    server = try ModelServer.shared.get()
    client = OpenAIChatClient(http: HTTPClient(), loop: loop)
  }

  deinit { loop.close() }

  private func start(
    _ model: String, _ text: String = "hello there", base: String? = nil, within milliseconds: Int64 = 20_000,
    headers: [HTTPHeader] = [], _ listener: Listener = Listener()
  ) throws(ModelFailure) -> (listener: Listener, call: any ModelCall) {
    let request = question(
      model, endpoint(base ?? server.base, headers: headers), [.text(.user, .string(text))])
    return (listener, try client.start(request, deadline: .after(milliseconds: milliseconds), listener))
  }

  @Test("an answer is heard as it comes, and ends with its reason, model and usage")
  func answer() throws {
    let listener = try start("slow:30").listener
    let answer = try listener.answer()
    #expect(answer.text.string == "answered after 30 ms")
    #expect(answer.finishReason == "stop")
    #expect(answer.model == "slow:30")
    #expect(answer.promptTokens == 2)
    #expect(answer.completionTokens == 4)
    #expect(answer.hasUsage)
    #expect(listener.count == 4)
    #expect(listener.isInOrder)
  }

  @Test("what was said is heard before the rest is")
  func timely() throws {
    let (listener, call) = try start("stall:2")
    #expect(listener.hasHeard(2))
    #expect(listener.text == "echo: hello ")
    #expect(listener.endCount == 0)
    call.cancel(.stopped)
    #expect(listener.failure()?.kind == .interrupted(.stopped))
  }

  @Test("the server is asked for a stream, with the key, our name and the extra headers")
  func request() throws {
    let text = try start("headers", headers: [HTTPHeader("X-Team", "blue")]).listener.answer().text.string ?? ""
    let seen = try JSON.parse(Array(text.utf8))
    #expect(seen["authorization"]?.string == "Bearer \(testKey)")
    #expect(seen["accept"]?.string == "text/event-stream")
    #expect(seen["content-type"]?.string == "application/json")
    #expect(seen["x-team"]?.string == "blue")
    let body = try JSON.parse(Array((try start("request").listener.answer().text.string ?? "").utf8))
    #expect(body["stream"]?.bool == true)
    #expect(body["stream_options"]?["include_usage"]?.bool == true)
  }

  @Test(
    "unusual answers are answers",
    arguments: [
      ("echo", "echo: héllo 😀 you", "stop", true), ("split", "echo: héllo 😀 you", "stop", true),
      ("nodone", "echo: héllo 😀 you", "stop", true), ("nostream", "echo: héllo 😀 you", "stop", true),
      ("nousage", "no numbers", "stop", false), ("length", "cut off in the mid", "length", true),
      ("parts", "one and two", "stop", true), ("interim", "at last", "stop", true),
      ("stale", "the connection is gone", "stop", true), ("drip:1", "drop by drop", "stop", true),
      ("reply:", "", "stop", true),
    ])
  func unusual(model: String, text: String, reason: String, hasUsage: Bool) throws {
    let listener = try start(model, "héllo 😀 you").listener
    let answer = try listener.answer()
    #expect(answer.text.string == text)
    #expect(answer.finishReason == reason)
    #expect(answer.hasUsage == hasUsage)
    #expect(listener.endCount == 1 && listener.isInOrder)
  }

  @Test(
    "what cannot be used is told, and not worth another try",
    arguments: [
      ("html", ModelFailure.Kind.invalidAnswer, "page"), ("halfjson", .invalidAnswer, "not usable JSON"),
      ("nul", .invalidAnswer, "\\u0000"), ("bigint", .invalidAnswer, "too big integer"),
      ("deep", .invalidAnswer, "128"), ("badutf8", .invalidAnswer, "UTF-8"), ("empty", .invalidAnswer, "no content"),
      ("nocontent", .invalidAnswer, "no content"), ("tools", .invalidAnswer, "tools"),
      ("endless", .invalidAnswer, "67108864"), ("refusal", .refused, "I cannot help with that."),
      ("filter", .filtered, "filter"), ("redirect", .http, "HTTP 307"), ("status:400", .http, "status 400 on demand"),
      ("nosuch", .http, "does not exist"),
      ("streamerror:400", .http, "broke off after 12 bytes of text with an error: error 400 on demand"),
    ])
  func unusable(model: String, kind: ModelFailure.Kind, text: String) throws {
    let listener = try start(model).listener
    let failure = try #require(listener.failure())
    #expect(failure.kind == kind)
    #expect(failure.message.contains(text), "\(failure.message)")
    #expect(failure.message.hasPrefix("openai model \(model) at 127.0.0.1:\(server.port): "))
    #expect(!failure.isTransient)
    #expect(listener.endCount == 1 && listener.isInOrder)
  }

  @Test(
    "what may pass is told as such",
    arguments: [
      ("hangup", ModelFailure.Kind.unreachable, nil, nil, ""), ("garbage", .unreachable, nil, nil, ""),
      ("break:2", .unreachable, nil, nil, "the connection broke after 12 bytes of text"),
      ("break:0", .unreachable, nil, nil, "the connection broke after 0 bytes of text"),
      ("cut:2", .unreachable, 200, nil, "the answer broke off after 12 bytes of text"),
      ("streamerror:429", .rateLimited, 429, nil, "after 12 bytes"), ("streamerror:503", .http, 503, nil, "on demand"),
      ("status:408", .http, 408, nil, ""), ("status:429:2", .rateLimited, 429, 2_000, ""),
      ("html:502", .http, 502, nil, ""),
    ] as [(String, ModelFailure.Kind, Int?, Int64?, String)])
  func transient(model: String, kind: ModelFailure.Kind, status: Int?, retryAfter: Int64?, text: String) throws {
    let listener = try start(model).listener
    let failure = try #require(listener.failure())
    #expect(failure.kind == kind)
    #expect(failure.httpStatus == status)
    #expect(failure.isTransient)
    #expect(failure.retryAfterMilliseconds == retryAfter)
    #expect(text.isEmpty || failure.message.contains(text), "\(failure.message)")
    #expect(listener.endCount == 1 && listener.isInOrder)
  }

  @Test("an attempt that broke is one request; the next one may succeed")
  func again() throws {
    server = try ModelServer()
    #expect(try start("break:1:again").listener.failure()?.isTransient == true)
    #expect(try server.observed().requests == 1)
    #expect(try start("break:1:again").listener.answer().text.string == "echo: hello there")
  }

  @Test("a host that cannot be reached may be later; a base that is no URL is a matter of configuration")
  func unreachable() throws {
    let failure = try #require(try start("echo", base: "http://127.0.0.1:1/v1").listener.failure())
    #expect(failure.kind == .unreachable && failure.isTransient && failure.httpStatus == nil)
    #expect(failure.message.hasPrefix("openai model echo at 127.0.0.1:1: cannot connect: "))
    var told: ModelFailure?
    do throws(ModelFailure) {
      told = try start("echo", base: "nonsense").listener.failure()
    } catch {
      told = error
    }
    #expect(told?.kind == .notConfigured)
  }

  @Test("a deadline ends an answer, and its failure says how far it came")
  func deadline() throws {
    server = try ModelServer()
    let silent = try #require(try start("hang", within: 150).listener.failure())
    #expect(silent.kind == .timedOut && !silent.isTransient)
    let half = try #require(try start("stall:2", within: 400).listener.failure())
    #expect(half.kind == .timedOut && !half.isTransient)
    #expect(half.message.hasSuffix("broken off after 12 bytes of text"), "\(half.message)")
    #expect(try server.observed { $0.disconnects.count == 2 }.disconnects.count == 2)
  }

  @Test("an attempt is cancelled from any thread, at any time, and the connection closed; cancelling again is harmless")
  func cancelled() throws {
    server = try ModelServer()
    let (silent, first) = try start("hang")
    first.cancel(.cancelled)
    first.cancel(.stopped)
    #expect(silent.failure()?.kind == .interrupted(.cancelled))
    let (half, second) = try start("stall:1")
    #expect(half.hasHeard(1))
    second.cancel(.closing)
    #expect(half.failure()?.kind == .interrupted(.closing))
    second.cancel(.cancelled)
    let (whole, third) = try start("echo")
    #expect(try whole.answer().finishReason == "stop")
    third.cancel(.cancelled)
    usleep(50_000)
    #expect(silent.endCount == 1 && half.endCount == 1 && whole.endCount == 1)
    #expect(try server.observed { $0.streams == 0 }.streams == 0)
  }

  @Test("who hears enough may cancel from where it is heard")
  func cancelledWithin() throws {
    let box = Box()
    let listener = Listener { box.call?.cancel(.stopped) }
    box.call = try start("slow:60", "hello", listener).call
    #expect(listener.failure()?.kind == .interrupted(.stopped))
    #expect(listener.count == 1 && listener.isInOrder)
  }

  @Test("a hundred answers at once are each heard whole")
  func many() throws {
    server = try ModelServer()
    let listeners = try (0..<100).map { number in try start("slow:20", "number \(number)").listener }
    for listener in listeners { #expect(try listener.answer().text.string == "answered after 20 ms") }
    #expect(try server.observed().mostStreams > 1)
  }
}

private final class Box: @unchecked Sendable {
  private let lock = NSLock()
  private var held: (any ModelCall)?
  var call: (any ModelCall)? {
    get { lock.withLock { held } }
    set { lock.withLock { held = newValue } }
  }
}
