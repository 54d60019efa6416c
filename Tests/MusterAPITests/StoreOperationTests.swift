import Foundation
import MusterJSON
import TestSupport
import Testing

@testable import MusterAPI
@testable import MusterStore

@Suite("Checking and copying the store")
struct StoreOperationTests {
  /// A plane on a file, with an agent, tasks of several turns, and one that failed.
  private static func bench(_ path: StorePath) throws -> Bench {
    let bench = try Bench(path.path)
    let agent = try bench.agent()
    for _ in 0..<3 { _ = try bench.invoke(agent, #"{"id":"talk"}"#) }
    _ = try bench.invoke(agent, #"{"id":"below","parent_execution_id":"talk"}"#)
    _ = try bench.invoke(try bench.agent("status:400"), #"{"id":"broken"}"#)
    let hanging = try bench.agent("hang")
    let run = Later { try bench.invoke(hanging, #"{"id":"stopped"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"stopped"}"#)) != nil }
    _ = try bench.call("tasks.stop", #"{"task_id":"stopped"}"#)
    _ = try run.value()
    return bench
  }

  private static func damage(_ bench: Bench, _ sql: String) throws {
    try bench.plane.store.write(owed: false) { (database) throws(StoreError) in try database.execute(sql) }
  }

  // MARK: - Check

  @Test("a store that nobody has damaged is whole, also while a task runs")
  func whole() throws {
    let path = try StorePath()
    defer { withExtendedLifetime(path) {} }
    let bench = try Self.bench(path)
    let hanging = try bench.agent("hang")
    let run = Later { try bench.invoke(hanging, #"{"id":"running"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"running"}"#)) != nil }
    let found = try bench.call("store.check")
    #expect(text(found["problems"]) == "[]")
    #expect(found["ok"]?.bool == true)
    #expect(found["tasks"]?.int64 == 5)
    #expect(found["agents"]?.int64 == 4)
    #expect((found["records"]?.int64 ?? 0) >= 12)
    #expect((found["bytes"]?.int64 ?? 0) > 4096)
    _ = try bench.call("tasks.stop", #"{"task_id":"running"}"#)
    _ = try run.value()
    #expect(try Bench().call("store.check")["ok"]?.bool == true, "in memory")
  }

  @Test(
    "what is wrong is named",
    arguments: [
      ("UPDATE counts SET rows = rows + 1 WHERE list = 2 AND block = -1", "count that is"),
      ("DELETE FROM counts WHERE list = 1", "count that is not kept"),
      ("DELETE FROM agents WHERE id = (SELECT agent_id FROM tasks WHERE id = 'talk')", "task of no agent: talk"),
      ("DELETE FROM tasks WHERE id = 'below'", "journal of no task"),
      ("UPDATE tasks SET owner = 1 WHERE id = 'talk'", "ended task that a process owns: talk"),
      ("UPDATE meta SET value = 1 WHERE key = 'sequence'", "not given out yet"),
      ("UPDATE tasks SET status = 4 WHERE id = 'talk'", "task talk: the row says error, the journal says completed"),
      ("UPDATE tasks SET status = 2 WHERE id = 'talk'", "task talk: the row says executing"),
      ("DELETE FROM journal WHERE key = (SELECT key << 28 | 2 FROM tasks WHERE id = 'talk')", "record 2 is missing"),
      (
        "DELETE FROM journal WHERE key = (SELECT key << 28 | sequence FROM tasks WHERE id = 'talk')",
        "task talk: the row knows 6 records, the journal has 5"
      ),
      (
        "UPDATE journal SET commands = '[{\"dance\":1}]' WHERE key = (SELECT key << 28 | 1 FROM tasks WHERE id = 'talk')",
        "task talk: record 1"
      ),
      (
        "UPDATE tasks SET result_sequence = 1 WHERE id = 'stopped'",
        "task stopped: the row does not name the record of its result"
      ),
    ])
  func damaged(sql: String, problem: String) throws {
    let path = try StorePath()
    defer { withExtendedLifetime(path) {} }
    let bench = try Self.bench(path)
    try Self.damage(bench, sql)
    let found = try bench.call("store.check")
    #expect(found["ok"]?.bool == false)
    let problems = found["problems"]?.elements.compactMap { $0.string } ?? []
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
    #expect(found["problem_count"]?.int64 == Int64(problems.count))
  }

  // MARK: - Backup

  @Test("the copy is a store with the same contents, for its owner's eyes only, while others write")
  func backup() throws {
    let path = try StorePath()
    let bench = try Self.bench(path)
    let writing = Later {
      for number in 0..<300 { _ = try bench.call("agents.create", #"{"body":{"name":"W\#(number)"}}"#) }
    }
    var copies: [String] = []
    for number in 0..<5 {
      let copy = "\(path.path)-copy\(number)"
      let answer = try bench.call("store.backup", #"{"body":{"path":"\#(copy)"}}"#)
      #expect(answer["path"]?.string == copy)
      let attributes = try FileManager.default.attributesOfItem(atPath: copy)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect((attributes[.size] as? Int).map { Int64($0) } == answer["bytes"]?.int64)
      copies.append(copy)
    }
    _ = try writing.value()
    defer { for copy in copies { try? FileManager.default.removeItem(atPath: copy) } }
    let thread = text(try bench.call("tasks.thread", #"{"task_id":"talk"}"#))
    for copy in copies {
      let other = try Bench(copy)
      #expect(text(try other.call("tasks.thread", #"{"task_id":"talk"}"#)) == thread)
      let found = try other.call("store.check")
      #expect(found["ok"]?.bool == true, "\(text(found) ?? "")")
      #expect(other.plane.host.organizationID == bench.plane.host.organizationID)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: (path.path as NSString).deletingLastPathComponent)
    let base = (path.path as NSString).lastPathComponent + "-copy0-"
    #expect(
      !names.contains { $0.hasPrefix(base) && !$0.hasSuffix("-lock") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
    )
  }

  @Test("a file that is there is refused and not touched, the store itself too")
  func taken() throws {
    let path = try StorePath()
    let bench = try Bench(path.path)
    let file = path.path + "-taken"
    try Data("precious".utf8).write(to: URL(fileURLWithPath: file))
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(try bench.failure("store.backup", #"{"body":{"path":"\#(file)"}}"#).status == .store)
    #expect(FileManager.default.contents(atPath: file) == Data("precious".utf8))
    #expect(try bench.failure("store.backup", #"{"body":{"path":"\#(path.path)"}}"#).status == .store)
    #expect(try bench.failure("store.backup", #"{"body":{"path":"/no/such/folder/file"}}"#).status == .store)
    #expect(try bench.failure("store.backup", #"{"body":{"path":""}}"#).httpStatus == 422)
    #expect(try bench.call("store.check")["ok"]?.bool == true)
  }

  @Test("a store in memory can be copied into a file")
  func memory() throws {
    let path = try StorePath()
    let bench = try Bench()
    let agent = try bench.agent()
    let copy = path.path + "-copy"
    defer { try? FileManager.default.removeItem(atPath: copy) }
    _ = try bench.call("store.backup", #"{"body":{"path":"\#(copy)"}}"#)
    #expect(try Bench(copy).call("agents.get", #"{"agent_id":"\#(agent)"}"#)["id"]?.string == agent)
  }

  // MARK: - Prune

  @Test("pruning removes what ended before a time, and says how much")
  func prune() throws {
    let path = try StorePath()
    defer { withExtendedLifetime(path) {} }
    let bench = try Self.bench(path)
    #expect(try bench.call("tasks.prune", #"{"body":{"before":"2001-01-01T00:00:00Z"}}"#)["deleted"]?.int64 == 0)
    let hanging = try bench.agent("hang")
    let run = Later { try bench.invoke(hanging, #"{"id":"running"}"#) }
    try awaitTrue("the task runs") { (try? bench.call("tasks.get", #"{"task_id":"running"}"#)) != nil }
    let answer = try bench.call("tasks.prune", #"{"body":{"before":"2999-01-01T00:00:00Z"}}"#)
    #expect(text(answer) == #"{"deleted":4}"#)
    #expect(try bench.call("tasks.list")["total"]?.int64 == 1)
    #expect(try bench.call("store.check")["ok"]?.bool == true)
    _ = try bench.call("tasks.stop", #"{"task_id":"running"}"#)
    _ = try run.value()
    #expect(try bench.failure("tasks.prune", #"{"body":{"before":"yesterday"}}"#).httpStatus == 422)
    #expect(try bench.failure("tasks.prune", #"{"body":{}}"#).httpStatus == 422)
  }
}
