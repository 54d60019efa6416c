import MusterHTTP
import MusterJSON
import MusterSystem
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterStore

@Suite("A call with an idempotency key")
struct IdempotencyTests {
  private func create(_ key: String, name: String = "A") -> String {
    #"{"body":{"name":"\#(name)"},"context":{"idempotency_key":"\#(key)"}}"#
  }

  /// Runs a statement on the store of a plane.
  private func execute(_ statement: String, _ bench: Bench) throws {
    try bench.plane.store.write(owed: false) { (database: Database) throws(StoreError) in
      try database.execute(statement)
    }
  }

  private func agents(_ bench: Bench) throws -> Int64? { try bench.call("agents.list")["total"]?.int64 }

  // MARK: - One effect, one answer

  @Test("that is repeated has one effect and gives the first answer, whatever happened since")
  func again() throws {
    let bench = try Bench()
    let first = try bench.call("agents.create", create("k"))
    let id = try #require(first["id"]?.string)
    _ = try bench.call("agents.update", #"{"agent_id":"\#(id)","body":{"name":"B"}}"#)
    #expect(try bench.call("agents.create", create("k")).bytes == first.bytes)
    // Blanks between the tokens are no difference.
    let spaced = #"{ "body": { "name": "A" }, "context": { "idempotency_key": "k" } }"#
    #expect(try bench.call("agents.create", spaced).bytes == first.bytes)
    _ = try bench.call("agents.delete", #"{"agent_id":"\#(id)"}"#)
    #expect(try bench.call("agents.create", create("k")).bytes == first.bytes)
    #expect(try agents(bench) == 0)
    #expect(try bench.call("agents.create", create("other"))["id"]?.string != id)
  }

  @Test("is refused with 422 when the key was used for another request")
  func otherRequest() throws {
    let bench = try Bench()
    _ = try bench.call("agents.create", create("k"))
    let failure = try bench.failure("agents.create", create("k", name: "B"))
    #expect(failure.httpStatus == 422)
    #expect(try agents(bench) == 1)
  }

  @Test("has nothing to do with the same key of another operation or organization")
  func scope() throws {
    let bench = try Bench()
    let agent = try bench.agent()
    let first = try bench.call("agents.create", create("k"))
    #expect(
      try bench.invoke(agent, arguments: #"{"context":{"idempotency_key":"k"}}"#)["status"]?.isString("completed")
        == true)
    try bench.plane.store.ensureOrganization("other")
    let arguments = try Arguments(try json(create("k")))
    let other = try JSON.parse(
      try bench.plane.call("agents.create", arguments, as: Caller(organizationID: "other", network: .open)))
    #expect(other["organization_id"]?.isString("other") == true)
    #expect(other["id"]?.string != first["id"]?.string)
  }

  @Test("that fails before it has an effect leaves its key free")
  func failed() throws {
    let bench = try Bench()
    #expect(try bench.failure("agents.create", create("k", name: "")).httpStatus == 422)
    #expect(try bench.call("agents.create", create("k"))["name"]?.isString("A") == true)
  }

  @Test("is made once by 64 threads, and all get the same answer")
  func threads() throws {
    let folder = try StorePath()
    let bench = try Bench(folder.path)
    let answers = Shared<[[UInt8]]>([])
    let arguments = create("k")
    inParallel(64) { _ in
      guard let answer = try? bench.call("agents.create", arguments) else { return }
      answers.change { $0.append(Array(answer.bytes)) }
    }
    #expect(answers.value.count == 64)
    #expect(Set(answers.value).count == 1)
    #expect(try agents(bench) == 1)
  }

  @Test("is made once by planes that do not know of each other")
  func planes() throws {
    let folder = try StorePath()
    let benches = try (0..<4).map { _ in try Bench(folder.path) }
    for round in 0..<20 {
      let answers = Shared<[[UInt8]]>([])
      let arguments = create("k\(round)")
      inParallel(8) { thread in
        guard let answer = try? benches[thread % 4].call("agents.create", arguments) else { return }
        answers.change { $0.append(Array(answer.bytes)) }
      }
      #expect(answers.value.count == 8)
      #expect(Set(answers.value).count == 1)
      #expect(try agents(benches[0]) == Int64(round + 1))
    }
  }

  // MARK: - Invokes

  private let keyed = #"{"context":{"idempotency_key":"k"}}"#

  @Test("that is an invoke runs one turn, and gives its answer also when the thread has gone on")
  func invoke() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two")
    let first = try bench.invoke(agent, #"{"id":"t"}"#, arguments: keyed)
    #expect(first["result"]?.isString("one") == true)
    #expect(try bench.invoke(agent, #"{"id":"t"}"#, arguments: keyed).bytes == first.bytes)
    #expect(try bench.invoke(agent, #"{"id":"t"}"#)["result"]?.isString("two") == true)
    #expect(try bench.invoke(agent, #"{"id":"t"}"#, arguments: keyed).bytes == first.bytes)
    #expect(try bench.call("tasks.thread", #"{"task_id":"t"}"#).elements.count == 4)
  }

  @Test("waits for the first one that still runs")
  func waits() throws {
    let folder = try StorePath()
    let benches = try (0..<2).map { _ in try Bench(folder.path) }
    let agent = try benches[0].agent("slow:400")
    let answers = Shared<[[UInt8]]>([])
    inParallel(6) { thread in
      guard let answer = try? benches[thread % 2].invoke(agent, arguments: keyed) else { return }
      answers.change { $0.append(Array(answer.bytes)) }
    }
    #expect(answers.value.count == 6)
    #expect(Set(answers.value).count == 1)
    #expect(try benches[0].call("tasks.list")["total"]?.int64 == 1)
  }

  @Test("waits no longer than its own time")
  func impatient() throws {
    let folder = try StorePath()
    let benches = try (0..<2).map { _ in try Bench(folder.path) }
    let agent = try benches[0].agent("slow:1500")
    let first = Later { try benches[0].invoke(agent, arguments: keyed) }
    try awaitTrue("the first runs") { try benches[1].call("tasks.list")["total"]?.int64 == 1 }
    for bench in benches {
      let failure = try bench.failure("agents.invoke", try bench.invocation(agent, "{}", keyed), milliseconds: 100)
      #expect(failure.status == .timeout)
    }
    #expect(try first.value()["status"]?.isString("completed") == true)
  }

  @Test("whose time ran out is not run again: its repetition gives the stopped task")
  func timedOut() throws {
    let bench = try Bench()
    let agent = try bench.agent("slow:5000")
    let arguments = try bench.invocation(agent, "{}", keyed)
    #expect(try bench.failure("agents.invoke", arguments, milliseconds: 200).httpStatus == 504)
    let again = try bench.call("agents.invoke", arguments)
    #expect(again["status"]?.isString("stopped") == true)
    #expect(again["internal_status"]?.isString("timeout") == true)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 1)
  }

  @Test("that is cut off between its end and its answer is answered from the task")
  func cutOff() throws {
    let bench = try Bench()
    let agent = try bench.agent("script:one|two")
    let first = try bench.invoke(agent, #"{"id":"t"}"#, arguments: keyed)
    try execute("UPDATE idempotency SET answer = NULL", bench)
    #expect(try bench.invoke(agent, #"{"id":"t"}"#, arguments: keyed).bytes == first.bytes)
    _ = try bench.invoke(agent, #"{"id":"t"}"#)
    let arguments = try bench.invocation(agent, #"{"id":"t"}"#, keyed)
    #expect(try bench.failure("agents.invoke", arguments).httpStatus == 409)
    _ = try bench.call("tasks.delete", #"{"task_id":"t"}"#)
    #expect(try bench.failure("agents.invoke", arguments).httpStatus == 404)
    // A new task with the old id is another one.
    _ = try bench.invoke(agent, #"{"id":"t"}"#)
    #expect(try bench.failure("agents.invoke", arguments).httpStatus == 404)
  }

  // MARK: - Keys

  @Test("is remembered for a day")
  func day() throws {
    let bench = try Bench()
    let first = try bench.call("agents.create", create("k"))
    try execute("UPDATE idempotency SET created_at = created_at - 86390000000", bench)
    #expect(try bench.call("agents.create", create("k")).bytes == first.bytes)
    try execute("UPDATE idempotency SET created_at = created_at - 20000000", bench)
    #expect(try bench.call("agents.create", create("k")).bytes != first.bytes)
    for number in 0..<40 { _ = try bench.call("agents.create", create("k\(number)")) }
    try execute("UPDATE idempotency SET created_at = 1", bench)
    for number in 0..<5 { _ = try bench.call("agents.create", create("new \(number)")) }
    let left = try bench.plane.store.read { (database: Database) throws(StoreError) -> Int64 in
      try database.integer("SELECT count(*) FROM idempotency")
    }
    #expect(left == 5)
  }

  @Test("is refused when the key is none, or the operation takes none")
  func refused() throws {
    let bench = try Bench()
    let long = String(repeating: "k", count: 256)
    for key in ["1", "\"\"", "\"a\\nb\"", "\"\(long)\"", "[]"] {
      let arguments = #"{"body":{"name":"A"},"context":{"idempotency_key":\#(key)}}"#
      #expect(try bench.failure("agents.create", arguments).status == .misuse)
    }
    #expect(try bench.failure("agents.list", #"{"context":{"idempotency_key":"k"}}"#).status == .misuse)
    #expect(try bench.failure("tasks.list", #"{"context":{"key":"k"}}"#).status == .unsupported)
    let null = #"{"body":{"name":"A"},"context":{"idempotency_key":null}}"#
    #expect(try bench.call("agents.create", null)["id"]?.string != nil)
    // Stopping twice is stopping once.
    let agent = try bench.agent()
    let task = try #require(try bench.invoke(agent)["id"]?.string)
    let stop = #"{"task_id":"\#(task)","context":{"idempotency_key":"k"}}"#
    #expect(try bench.call("tasks.stop", stop)["id"]?.isString(task) == true)
  }
}
