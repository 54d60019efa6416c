import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterServer

@Suite("Answers that are given again")
struct AnswerCacheTests {
  /// A service on a file, with a key.
  private final class Bench: Sendable {
    let store: StorePath
    let plane: ControlPlane
    let service: RESTService
    let key: String

    init(path: String? = nil, limits: RateLimits? = nil) throws {
      store = try StorePath()
      plane = try ControlPlane(configuration: Array((path ?? store.path).utf8), log: .none)
      service = RESTService(plane: plane, settings: RESTSettings(rateLimits: limits))
      key =
        JSON.trusted(
          try plane.call("keys.create", Arguments(body: .trusted(Array(#"{"name":"k","can_manage_keys":true}"#.utf8)))))[
          "key"]?.string ?? ""
    }

    deinit { plane.close() }

    func ask(_ method: String, _ target: String, _ body: String = "", key: String? = nil) -> RESTAnswer {
      service.answer(
        RESTRequest(
          method: method, target: Array(target.utf8), headers: [("x-api-key", key ?? self.key)],
          body: Array(body.utf8)), tellsValidity: true)
    }

    func name(_ target: String, key: String? = nil) throws -> AnswerCache.Name {
      try #require(AnswerCache.Name(target: Array(target.utf8), key: Array((key ?? self.key).utf8)))
    }

    func agent() -> String { ask("POST", "/v1/agents", #"{"name":"A"}"#).json["id"]?.string ?? "" }
  }

  private static func kept(_ size: Int, changeNumber: Int64 = 1, end: Timestamp? = nil) throws -> KeptAnswer {
    var answer = RESTAnswer(status: 200, body: [UInt8](repeating: 0x20, count: size))
    answer.validity = .init(changeNumber: changeNumber, end: end)
    return try #require(KeptAnswer(answer))
  }

  @Test("agents and their lists say how long they hold")
  func validity() throws {
    let bench = try Bench()
    let id = bench.agent()
    for target in ["/v1/agents", "/v1/agents?page=2", "/v1/agents/full", "/v1/agents/\(id)"] {
      for method in ["GET", "HEAD"] {
        let answer = bench.ask(method, target)
        #expect(answer.status == 200 && answer.validity?.changeNumber == bench.plane.changeNumber, "\(target)")
        #expect(answer.validity?.end == nil)
      }
    }
  }

  @Test("whatever may differ the next time does not")
  func noValidity() throws {
    let bench = try Bench()
    let id = bench.agent()
    for (method, target, body) in [
      ("GET", "/v1/tasks", ""), ("GET", "/v1/agents/\(id)/tasks", ""), ("GET", "/v1/keys", ""),
      ("GET", "/v1/agents/none", ""), ("GET", "/v1/agents?page=0", ""), ("GET", "/health", ""),
      ("OPTIONS", "/v1/agents", ""), ("POST", "/v1/agents", #"{"name":"A"}"#),
      ("PATCH", "/v1/agents/\(id)", #"{"name":"B"}"#),
      // Headers that are no part of the name say which version is meant.
      ("GET", "/agents/list", ""), ("GET", "/agents/\(id)", ""), ("GET", "/None/agents/\(id)", ""),
    ] {
      #expect(bench.ask(method, target, body).validity == nil, "\(method) \(target)")
    }
    #expect(bench.ask("GET", "/v1/agents", key: "none").validity == nil)
    // Each request is counted.
    #expect(try Bench(limits: .documented).ask("GET", "/v1/agents").validity == nil)
    // Nothing tells of commits.
    #expect(try Bench(path: ":memory:").ask("GET", "/v1/agents").validity == nil)
    // Nobody wants to know.
    let request = RESTRequest(
      method: "GET", target: Array("/v1/agents".utf8), headers: [("x-api-key", bench.key)], body: [])
    #expect(bench.service.answer(request).validity == nil)
  }

  @Test("an answer is found until something is committed")
  func untilACommit() throws {
    let bench = try Bench()
    let cache = AnswerCache()
    let name = try bench.name("/v1/agents")
    let kept = try #require(KeptAnswer(bench.ask("GET", "/v1/agents")))
    cache.keep(kept, as: name)
    #expect(cache.answer(name) { bench.plane.changeNumber } === kept)
    // A store that says nothing just now ends nothing.
    #expect(cache.answer(name) { nil } == nil)
    #expect(cache.answer(name) { bench.plane.changeNumber } === kept)
    _ = bench.agent()
    #expect(cache.answer(name) { bench.plane.changeNumber } == nil)
  }

  @Test("an answer that something was committed under is never found")
  func commitUnderIt() throws {
    let bench = try Bench()
    let cache = AnswerCache()
    let name = try bench.name("/v1/agents")
    let early = try #require(KeptAnswer(bench.ask("GET", "/v1/agents")))
    _ = bench.agent()
    let late = try #require(KeptAnswer(bench.ask("GET", "/v1/agents")))
    cache.keep(late, as: name)
    // The worker that began first ends last.
    cache.keep(early, as: name)
    #expect(cache.answer(name) { bench.plane.changeNumber } == nil)
  }

  @Test("an answer ends when its key expires")
  func expiry() throws {
    let bench = try Bench()
    let end = Timestamp(microseconds: Timestamp.now().microseconds + 3_600_000_000)
    let made = bench.ask("POST", "/v1/keys", #"{"name":"k","expires_at":"\#(end.iso8601)"}"#)
    let answer = bench.ask("GET", "/v1/agents", key: made.json["key"]?.string)
    #expect(answer.validity?.end == end)

    let cache = AnswerCache()
    let name = try bench.name("/v1/agents")
    cache.keep(try AnswerCacheTests.kept(1, end: end), as: name)
    #expect(cache.answer(name) { 1 } != nil)
    cache.keep(try AnswerCacheTests.kept(1, end: Timestamp(microseconds: Timestamp.now().microseconds)), as: name)
    #expect(cache.answer(name) { 1 } == nil)
  }

  @Test("target and key both count, whole, and nothing slips from the one into the other")
  func names() throws {
    let pairs = [
      ("/v1/agents", "abc"), ("/v1/agents", "abd"), ("/v1/agents", "ab"), ("/v1/agents?", "abc"), ("", "abc/v1/agents"),
    ]
    var names: Set<AnswerCache.Name> = []
    for (target, key) in pairs {
      for _ in 0..<2 {
        names.insert(try #require(AnswerCache.Name(target: Array(target.utf8), key: Array(key.utf8))))
      }
    }
    #expect(names.count == pairs.count)
  }

  @Test("what is kept is bounded in number and in bytes, and the last one is kept")
  func bounds() throws {
    for (count, size) in [(1_000, 1), (40, 1 << 20)] {
      let bench = try Bench()
      let cache = AnswerCache()
      var found = 0
      for number in 0..<count {
        let name = try bench.name("/v1/agents/\(number)")
        cache.keep(try AnswerCacheTests.kept(size), as: name)
        #expect(cache.answer(name) { 1 } != nil)
      }
      for number in 0..<count where cache.answer(try bench.name("/v1/agents/\(number)"), { 1 }) != nil { found += 1 }
      #expect((1...256).contains(found) && found * size <= 4 << 20)
    }
    let bench = try Bench()
    let cache = AnswerCache()
    cache.keep(try AnswerCacheTests.kept((1 << 20) + 1), as: try bench.name("/large"))
    #expect(cache.answer(try bench.name("/large")) { 1 } == nil)
    // The same again takes no room.
    for _ in 0..<1_000 { cache.keep(try AnswerCacheTests.kept(1 << 20), as: try bench.name("/same")) }
    cache.keep(try AnswerCacheTests.kept(1 << 20), as: try bench.name("/other"))
    #expect(cache.answer(try bench.name("/same")) { 1 } != nil)
  }
}
