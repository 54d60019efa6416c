import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore

/// The operations `tasks.approve` and `tasks.reject`: what people decide about calls of tools.
enum DecisionOperations {
  @Sendable static func approve(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let word = call.body["decision"]?.string
    return try decide(call) { question in
      switch (question, word) {
      case (_, "give_up"): return .giveUp
      case (.approval, nil), (.approval, "proceed"), (.outcome, "not_done"): return .proceed
      case (.outcome, "done"): return .done
      default: return nil
      }
    }
  }

  @Sendable static func reject(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    try decide(call) { $0 == .approval ? .decline : .giveUp }
  }

  private static func decide(
    _ call: OperationCall, _ answer: (Command.Question) -> Decision.Answer?
  ) throws(Failure) -> Operation.Answer {
    let task = try TaskOperations.find(call.taskID, call)
    let body = call.body
    let outcome: RunDriver.DecisionOutcome
    do throws(RunError) {
      outcome = try call.plane.runs.decide(
        task.id, in: call.organizationID, request: body["request_id"]?.string, comment: body["comment"]?.string,
        user: body["user"]?.string, answer)
    } catch {
      throw Failure(error)
    }
    switch outcome {
    case .taken(let snapshot): return .json(try TaskDocument.make(snapshot))
    case .missing: throw .api(404, "Task not found")
    case .notAsked: throw .api(409, "Task does not wait for this decision")
    }
  }
}
