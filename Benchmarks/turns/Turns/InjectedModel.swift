import MusterJSON
import MusterModels
import MusterSystem

/// A model at the driver's seam: it asks for the tool that it is offered, then answers; at once, without a network.
final class InjectedModel: ModelClient {
  /// An attempt that is over, or never will be.
  private final class Call: ModelCall {
    func cancel(_ reason: Interrupt.Reason) {}
  }

  private let lock = Lock()
  private let changed = Condition()
  private var waiting: [any ModelListener] = []
  /// Whether it leaves the second question without an answer.
  private let hangs: Bool

  init(hangs: Bool) { self.hangs = hangs }

  private static let text = Array("Hello from the model.".utf8)

  private func calls(_ request: ModelRequest) -> [ModelToolCall] {
    if case .result? = request.messages.last { return [] }
    return request.tools.prefix(1).map {
      ModelToolCall(id: "call_1", name: $0.name, arguments: .string(#"{"a": 19, "b": 23}"#), opaque: nil)
    }
  }

  func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer {
    end(calls(request)).answer(heard: InjectedModel.text)
  }

  func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall {
    let calls = calls(request)
    if hangs, calls.isEmpty {
      lock.withLock {
        waiting.append(listener)
        changed.signal()
      }
      return Call()
    }
    if calls.isEmpty { listener.heard(InjectedModel.text) }
    listener.ended(.answered(end(calls)))
    return Call()
  }

  private func end(_ calls: [ModelToolCall]) -> ModelAnswerEnd {
    ModelAnswerEnd(
      finishReason: calls.isEmpty ? "stop" : "tool_calls", model: "fixed", promptTokens: 12, completionTokens: 5,
      hasUsage: true, calls: calls)
  }

  /// Waits until so many questions are left without an answer.
  func waitForQuestions(_ count: Int) {
    lock.lock()
    while waiting.count < count { _ = changed.wait(lock) }
    lock.unlock()
  }

  /// Lets go of them.
  func forget() { lock.withLock { waiting = [] } }
}
