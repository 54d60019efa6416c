import MusterJSON
import MusterRuns
import MusterStore

/// The operation `tasks.replay`.
enum ReplayOperation {
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let task = try TaskOperations.find(call.taskID, call)
    let replay: Replay?
    do throws(RunError) {
      replay = try call.plane.runs.replay(
        task.id, in: call.organizationID, deadline: call.deadline, interrupt: call.interrupt)
    } catch {
      throw Failure(error)
    }
    guard let replay else { throw .api(404, "Task not found") }
    return .json(try document(replay))
  }

  private static func document(_ replay: Replay) throws(Failure) -> [UInt8] {
    var writer = JSONWriter(capacity: 4096)
    writer.beginObject()
    writer.member("task_id", replay.task.id)
    writer.member("status", replay.task.status.word)
    writer.member("is_identical", replay.isIdentical)
    writer.member("turns", replay.turns)
    writer.member("records", replay.records)
    writer.member("compared", replay.compared)
    writer.key("difference")
    if let difference = replay.difference {
      writer.beginObject()
      writer.member("record", difference.sequence)
      writer.member("turn", difference.turn)
      writer.member("recorded", difference.recorded)
      writer.member("made", difference.made)
      writer.endObject()
    } else {
      writer.null()
    }
    writer.member("problem", replay.problem)
    writer.key("events")
    writer.beginArray()
    for event in replay.events { writer.value(.trusted(try EventDocument.make(event))) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}
