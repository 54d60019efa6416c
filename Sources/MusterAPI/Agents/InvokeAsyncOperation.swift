import MusterJSON
import MusterRuns
import MusterStore

/// The operation `agents.invoke_async`.
enum InvokeAsyncOperation {
  /// Gives the task as it was accepted; the run goes on by itself.
  @Sendable static func run(_ call: OperationCall) throws(Failure) -> Operation.Answer {
    let snapshot = try InvokeOperation.beginning(call) { (invocation: Invocation) throws(RunError) in
      try call.plane.runs.accept(
        invocation, runDeadline: call.plane.runDeadline(nil),
        onBusy: InvokeOperation.busyRule(call), deadline: call.deadline, interrupt: call.interrupt)
    }
    let answer = try TaskDocument.make(snapshot)
    if let key = call.idempotency {
      // Without it a repetition gives the task as it stands then.
      do throws(StoreError) { try call.plane.store.keepAnswer(answer, of: key) } catch {}
    }
    return .json(answer)
  }
}
