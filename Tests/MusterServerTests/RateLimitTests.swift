import Foundation
import MusterJSON
import MusterServer
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI

@Suite("Rate limits")
struct RateLimitTests {
  /// A service on a store with two keys.
  private final class Limited: Sendable {
    let plane: ControlPlane
    let service: RESTService
    let key: String
    let otherKey: String

    init(_ path: String, _ limits: RateLimits?) throws {
      let plane = try ControlPlane(configuration: Array(path.utf8), log: .none)
      self.plane = plane
      service = RESTService(plane: plane, settings: RESTSettings(rateLimits: limits))
      func makeKey() throws -> String {
        let arguments = Arguments(body: .trusted(Array(#"{"name":"k"}"#.utf8)))
        return JSON.trusted(try plane.call("keys.create", arguments))["key"]?.string ?? ""
      }
      key = try makeKey()
      otherKey = try makeKey()
    }

    deinit { plane.close() }

    func get(_ target: String, key: String?) -> RESTAnswer {
      service.answer(
        RESTRequest(
          method: "GET", target: Array(target.utf8), headers: key.map { [("X-API-Key", $0)] } ?? [], body: []))
    }
  }

  /// Waits until the minute has so many seconds left, so that a test does not run across its end.
  private static func awayFromTheEndOfAMinute(seconds: Int64 = 5) {
    while Timestamp.now().seconds % 60 >= 60 - seconds { Thread.sleep(forTimeInterval: 0.1) }
  }

  private static func header(_ name: String, _ answer: RESTAnswer) -> Int64? {
    let found = answer.headers.filter { $0.name == name }
    return found.count == 1 ? Int64(found[0].value) : nil
  }

  @Test("the 101st request of a minute is refused, however many threads make them, and names the option")
  func exact() throws {
    RateLimitTests.awayFromTheEndOfAMinute()
    let bench = try Limited(":memory:", .documented)
    let answers = Shared<[RESTAnswer]>([])
    inParallel(64) { _ in
      for _ in 0..<2 {
        let answer = bench.get("/v1/agents", key: bench.key)
        answers.change { $0.append(answer) }
      }
    }
    let good = answers.value.filter { $0.status == 200 }
    let refused = answers.value.filter { $0.status == 429 }
    #expect(good.count == 100)
    #expect(refused.count == 28)
    #expect(good.compactMap { RateLimitTests.header("X-RateLimit-Remaining", $0) }.sorted() == Array(0..<100))
    for answer in refused {
      #expect(RateLimitTests.header("X-RateLimit-Limit", answer) == 100)
      #expect(RateLimitTests.header("X-RateLimit-Remaining", answer) == 0)
      let wait = try #require(RateLimitTests.header("Retry-After", answer))
      #expect((1...60).contains(wait))
      let detail = JSON.trusted(answer.body)["detail"]?.string ?? ""
      #expect(detail.contains("100 requests a minute") && detail.contains("--rate-limit"))
    }
    #expect(bench.get("/v1/agents", key: bench.otherKey).status == 200)
    #expect(bench.get("/health", key: nil).status == 200)
  }

  @Test("the hour has a limit of its own, and the time to wait is then the rest of the hour")
  func hour() throws {
    RateLimitTests.awayFromTheEndOfAMinute()
    let bench = try Limited(":memory:", RateLimits(perMinute: 100, perHour: 3))
    for _ in 0..<3 { #expect(bench.get("/v1/agents", key: bench.key).status == 200) }
    let refused = bench.get("/v1/agents", key: bench.key)
    #expect(refused.status == 429)
    #expect(JSON.trusted(refused.body)["detail"]?.string?.contains("3 requests an hour") == true)
    let end = try #require(RateLimitTests.header("Retry-After", refused))
    #expect(abs((Timestamp.now().seconds / 3600 + 1) * 3600 - Timestamp.now().seconds - end) <= 2)
  }

  @Test("counts are kept when the store is closed, and shared by all services on it")
  func kept() throws {
    RateLimitTests.awayFromTheEndOfAMinute()
    let path = try StorePath()
    let limits = RateLimits(perMinute: 3, perHour: 100)
    let first = try Limited(path.path, limits)
    #expect(first.get("/v1/agents", key: first.key).status == 200)
    let second = try Limited(path.path, limits)
    #expect(RateLimitTests.header("X-RateLimit-Remaining", second.get("/v1/agents", key: first.key)) == 1)
    first.plane.close()
    second.plane.close()
    let third = try Limited(path.path, limits)
    #expect(RateLimitTests.header("X-RateLimit-Remaining", third.get("/v1/agents", key: first.key)) == 0)
    #expect(third.get("/v1/agents", key: first.key).status == 429)
  }

  @Test(
    "each answer of a limited service tells the limits, also without a key",
    arguments: [
      "/v1/agents", "/v1/agents/none", "/v1/none", "/v1/agents?page=0", "/v1/%zz", "/%76%31/agents", "/agents/list",
      "//None/agents/none", "/other/agents/list", "/agents/none/db",
    ])
  func headers(target: String) throws {
    let bench = try Limited(":memory:", .documented)
    for key in [bench.key, nil] {
      let answer = bench.get(target, key: key)
      #expect(RateLimitTests.header("X-RateLimit-Limit", answer) == 100, "\(answer.status)")
      #expect(RateLimitTests.header("X-RateLimit-Remaining", answer) != nil)
      let reset = try #require(RateLimitTests.header("X-RateLimit-Reset", answer))
      #expect(reset % 60 == 0 && (0...60).contains(reset - Timestamp.now().seconds))
      #expect(key != nil || answer.status == 401 || answer.status == 400)
    }
  }

  @Test("the Python client's routes count with the documented ones, and unknown paths do not")
  func client() throws {
    RateLimitTests.awayFromTheEndOfAMinute()
    let bench = try Limited(":memory:", RateLimits(perMinute: 5, perHour: 100))
    for target in ["/v1/agents", "/agents/list", "/None/agents/none", "/other/agents/list", "/agents/none/db"] {
      #expect(bench.get("/nowhere", key: bench.key).status == 404)
      #expect(bench.get(target, key: bench.key).status != 429)
    }
    for target in ["/v1/agents", "/agents/list"] { #expect(bench.get(target, key: bench.key).status == 429) }
    #expect(!bench.get("/nowhere", key: bench.key).headers.contains { $0.name.hasPrefix("X-RateLimit") })
  }

  @Test("a service without limits counts nothing and tells nothing")
  func off() throws {
    let bench = try Limited(":memory:", nil)
    for _ in 0..<150 {
      let answer = bench.get("/v1/agents", key: bench.key)
      #expect(answer.status == 200 && !answer.headers.contains { $0.name.hasPrefix("X-RateLimit") })
    }
  }
}
