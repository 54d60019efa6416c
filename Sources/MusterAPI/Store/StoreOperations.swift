import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// The operations on the store itself. They touch paths of the machine, or all organizations: the host's alone, without a
/// path in the REST service.
enum StoreOperations {
  static let all: [Operation] = [
    Operation(
      "store.check", "GET", "",
      "Looks whether the store is whole: the file, what belongs to what, the counts of lists, and the journal of each task.",
      answer: "StoreCheck", isExtension: true, handler: check),
    Operation(
      "store.backup", "POST", "",
      "Writes a copy of the store, as it is at one moment, into a new file; others go on writing meanwhile.",
      body: .init("BackUpStore", example: #"{"path":"agents-copy.db"}"#), answer: "StoreBackup", isExtension: true,
      handler: backup),
  ]

  /// Throws when the caller does not wait any more.
  static func requirePatience(_ call: OperationCall) throws(Failure) {
    switch call.interrupt.reason {
    case .cancelled, .stopped, .unneeded: throw Failure(.cancelled, "the call was cancelled")
    case .closing: throw Failure(.closed, "the plane was closed")
    case nil: if call.deadline.hasPassed { throw Failure(.timeout, "the time of the call ran out") }
    }
  }

  // MARK: - Check

  private static let tasksAtATime: Int64 = 256

  @Sendable private static func check(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let store = call.plane.store
    var found: StoreInspection
    do throws(StoreError) {
      found = try store.inspect()
    } catch {
      guard case .notAStore = error else { throw Failure(error) }
      found = StoreInspection()
      found.add(error.message)
    }
    // What cannot be read is damaged: then the journal is not asked.
    if found.problems.isEmpty { try checkJournals(call, &found) }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("ok", found.problemCount == 0)
    writer.member("agents", found.agents)
    writer.member("tasks", found.tasks)
    writer.member("records", found.records)
    writer.member("bytes", found.bytes)
    writer.member("problem_count", found.problemCount)
    writer.key("problems")
    writer.beginArray()
    for problem in found.problems { writer.value(problem) }
    writer.endArray()
    writer.endObject()
    return .json(writer.bytes)
  }

  private static func checkJournals(_ call: OperationCall, _ found: inout StoreInspection) throws(Failure) {
    var last: Int64 = 0
    while true {
      let after = last
      let keys = try call.store { () throws(StoreError) in
        try call.plane.store.taskKeys(after: after, count: tasksAtATime)
      }
      if keys.isEmpty { return }
      for key in keys {
        try requirePatience(call)
        last = key
        var journal = JournalCheck()
        let task: TaskRow?
        do throws(StoreError) {
          task = try call.plane.store.walk(taskWithKey: key) { journal.take($0) }
        } catch {
          throw Failure(error)
        }
        if let task, let problem = journal.problem(with: task) { found.add("task \(task.id): \(problem)") }
      }
    }
  }

  // MARK: - Backup

  @Sendable private static func backup(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    guard let path = call.body["path"]?.string, !path.utf8.contains(0) else {
      throw .validation([.key("body"), .key("path")], "not a path", type: "value_error")
    }
    let bytes: Int64?
    do throws(StoreError) {
      bytes = try call.plane.store.backUp(to: path) { call.interrupt.reason == nil && !call.deadline.hasPassed }
    } catch {
      throw Failure(error)
    }
    guard let bytes else {
      try requirePatience(call)
      throw Failure(.cancelled, "the call was cancelled")
    }
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("path", path)
    writer.member("bytes", bytes)
    writer.endObject()
    return .json(writer.bytes)
  }
}
