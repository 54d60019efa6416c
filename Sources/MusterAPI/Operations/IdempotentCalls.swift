import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Lets calls with the same idempotency key have one effect and one answer, also after a crash and from several threads
/// and processes.
///
/// The key is written in the transaction of the effect. Calls of one plane queue here, so that only the first does the
/// work; another plane or process that does it at the same time finds the key taken, and its own effect undone.
final class IdempotentCalls: Sendable {
  private let turns = TurnQueue<String>()

  /// The answer of the operation, or that of the first call with the same key.
  func answer(_ operation: Operation, _ call: OperationCall) throws(Failure) -> Operation.Answer {
    // A stream that is repeated is followed, which its submission sees to.
    guard let key = call.idempotency, operation.form != .runEvents else { return try operation.handler(call) }
    let name = "\(key.organizationID)\u{0}\(key.operation)\u{0}\(key.key)"
    return try turns.inTurn(of: name, deadline: call.deadline, interrupt: call.interrupt) { admission throws(Failure) in
      switch admission {
      case .refused: throw Failure(RunError.busy)
      case .timedOut: throw Failure(RunError.timedOut(taskID: nil))
      case .interrupted(let reason): throw Failure(RunError.interrupted(reason, taskID: nil))
      case .admitted: break
      }
      if let known = try IdempotentCalls.known(key, operation, call) { return known }
      do throws(Failure) {
        return try operation.handler(call)
      } catch {
        guard error.isRepetition, let known = try IdempotentCalls.known(key, operation, call) else { throw error }
        return known
      }
    }
  }

  /// What is remembered of the first call; nil when there was none.
  static func record(_ key: IdempotencyKey, _ call: OperationCall) throws(Failure) -> IdempotencyRecord? {
    let record = try call.store { () throws(StoreError) in try call.plane.store.idempotencyRecord(key) }
    guard let record else { return nil }
    guard record.fingerprint == key.fingerprint else {
      throw .validation(
        [.key("header"), .key("Idempotency-Key")], "the idempotency key was used for another request",
        type: "value_error.idempotency_key")
    }
    return record
  }

  /// The answer of the first call; nil when there was none.
  private static func known(
    _ key: IdempotencyKey, _ operation: Operation, _ call: OperationCall
  ) throws(Failure) -> Operation.Answer? {
    guard let record = try record(key, call) else { return nil }
    if let answer = record.answer { return .json(answer) }
    guard let turn = record.turn else { throw Failure(.internal, "an idempotency key without an answer") }
    if operation.form != .run || call.flag("asynchronous") { return try task(record.resourceID, at: turn, call) }
    let outcome: TurnOutcome
    do throws(RunError) {
      outcome = try call.plane.runs.outcome(
        ofTurn: turn, of: record.resourceID, in: key.organizationID, madeBefore: record.createdAt,
        deadline: call.deadline, interrupt: call.interrupt)
    } catch {
      throw Failure(error)
    }
    switch outcome {
    case .ended(let snapshot): return .json(try TaskDocument.make(snapshot))
    case .missing: throw .api(404, "Task not found")
    case .elsewhere: throw .api(409, "the first call with this idempotency key is still running")
    case .over: throw over
    }
  }

  private static let over = Failure.api(
    409, "the answer to this idempotency key is not known any more: its thread has gone on")

  /// A task as it stands, as long as it is at a turn.
  private static func task(
    _ id: String, at turn: Int64, _ call: OperationCall
  ) throws(Failure) -> Operation.Answer {
    let snapshot: TaskSnapshot?
    do throws(RunError) {
      snapshot = try call.plane.runs.snapshot(id, in: call.organizationID)
    } catch {
      throw Failure(error)
    }
    guard let snapshot else { throw .api(404, "Task not found") }
    guard snapshot.task.turn == turn else { throw over }
    return .json(try TaskDocument.make(snapshot))
  }
}

extension OperationCall {
  /// What a handler has the store write with its effect; nil when the call carries no key. `answer`: nil when it is the
  /// task's.
  func remembering(_ resourceID: String, answer: [UInt8]?) -> IdempotencyEntry? {
    idempotency.map { IdempotencyEntry(key: $0, resourceID: resourceID, answer: answer) }
  }
}

extension Arguments {
  /// Whether a text can be an idempotency key: 1 to 255 bytes, none of them a control character.
  package static func canBeIdempotencyKey(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }

  /// The key of a call by which repetitions of it are known; nil when it carries none or needs none.
  func idempotency(of operation: Operation, for caller: Caller) throws(Failure) -> IdempotencyKey? {
    guard let key = idempotencyKey else { return nil }
    switch operation.repetition {
    case .refused: throw .api(400, "\(operation.name) takes no idempotency key: its answer is stored nowhere")
    case .natural:
      guard operation.method == "POST" else {
        throw Failure(.misuse, "\(operation.name) takes no idempotency key")
      }
      return nil
    case .remembered:
      if let problem = Digest.problem() { throw Failure(.unsupported, "idempotency keys need libcrypto: \(problem)") }
      guard let digest = Digest.sha256(fingerprint) else { throw Failure(.internal, "no digest") }
      return IdempotencyKey(
        organizationID: caller.organizationID, operation: operation.name, key: key,
        fingerprint: Hexadecimal.text(digest))
    }
  }

  /// What makes this request different from others: parameters in the order of their names, and the body.
  private var fingerprint: [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.beginArray()
    for parameter in parameters.sorted(by: { $0.name < $1.name }) where !parameter.value.isNull {
      writer.value(parameter.name)
      writer.value(parameter.value.string ?? String(decoding: parameter.value.bytes, as: UTF8.self))
    }
    writer.endArray()
    return writer.bytes + (body.map { Array($0.bytes) } ?? [])
  }
}
