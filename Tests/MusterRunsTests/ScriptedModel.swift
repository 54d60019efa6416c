import Foundation
import MusterJSON
import MusterModels
import MusterSystem

/// A model that answers from a script, and remembers what it was asked.
final class ScriptedModel: ModelClient, @unchecked Sendable {
  enum Step: Sendable {
    case answer(String, prompt: Int64 = 0, completion: Int64 = 0, hasUsage: Bool = false)
    case fail(ModelFailure)
    /// Asks for tools: names, and the texts of their arguments.
    case calls([(name: String, arguments: String)])
    /// Just this.
    case whole(ModelAnswer)
    /// Waits until somebody ends the attempt from outside.
    case hang
    /// Waits until the gate opens, then answers.
    case wait(Gate, String)
  }

  /// Opens once, for all.
  final class Gate: @unchecked Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    func open() { semaphore.signal() }
    func pass() {
      semaphore.wait()
      semaphore.signal()
    }
  }

  private let lock = NSLock()
  private var steps: [Step]
  private var asked: [ModelRequest] = []
  private var inside: [String] = []
  private var crowd = 0
  private let fallback: Step
  /// How often a hanging attempt asks whether it is still wanted.
  let tickMilliseconds: Int64

  /// - Parameter fallback: what it does when the script is at its end.
  init(_ steps: [Step], fallback: Step = .answer("ok"), tickMilliseconds: Int64 = 20) {
    self.steps = steps
    self.fallback = fallback
    self.tickMilliseconds = tickMilliseconds
  }

  var requests: [ModelRequest] { lock.withLock { asked } }
  /// The most attempts that were under way at the same time.
  var largestCrowd: Int { lock.withLock { crowd } }

  func ask(
    _ request: ModelRequest, deadline: Deadline, interrupt: Interrupt, tick: (() -> Bool)?
  ) throws(ModelFailure) -> ModelAnswer {
    if let reason = interrupt.reason { throw ModelFailure(kind: .interrupted(reason), message: "interrupted") }
    let step = lock.withLock { () -> Step in
      asked.append(request)
      inside.append("")
      crowd = max(crowd, inside.count)
      return steps.isEmpty ? fallback : steps.removeFirst()
    }
    defer { lock.withLock { _ = inside.removeLast() } }
    switch step {
    case .answer(let text, let prompt, let completion, let hasUsage):
      return answer(text, prompt, completion, hasUsage)
    case .fail(let failure): throw failure
    case .calls(let calls):
      return ModelAnswer(
        text: .string(""), finishReason: "tool_calls", model: "m-1", promptTokens: 0, completionTokens: 0,
        hasUsage: false,
        calls: calls.enumerated().map {
          ModelToolCall(id: "c\($0)", name: $1.name, arguments: .string($1.arguments), opaque: nil)
        }, opaque: nil)
    case .whole(let answer): return answer
    case .hang: throw hang(deadline, interrupt, tick)
    case .wait(let gate, let text):
      gate.pass()
      return answer(text, 0, 0, false)
    }
  }

  /// The same script, word by word, on a thread of its own.
  func start(
    _ request: ModelRequest, deadline: Deadline, _ listener: any ModelListener
  ) throws(ModelFailure) -> any ModelCall {
    let call = Call()
    Thread.detachNewThread { [self] in
      do throws(ModelFailure) {
        let answer = try ask(request, deadline: deadline, interrupt: call.interrupt, tick: nil)
        let words = (answer.text.utf8 ?? []).split(
          separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        for (index, word) in words.enumerated() where index > 0 || !word.isEmpty {
          if let reason = call.interrupt.reason {
            throw ModelFailure(kind: .interrupted(reason), message: "interrupted")
          }
          listener.heard(index == 0 ? Array(word) : [UInt8(ascii: " ")] + word)
        }
        listener.ended(.answered(ModelAnswerEnd(of: answer)))
      } catch {
        listener.ended(.failed(error))
      }
    }
    return call
  }

  /// An attempt that `start` began.
  final class Call: ModelCall {
    let interrupt = Interrupt()
    func cancel(_ reason: Interrupt.Reason) { interrupt.fire(reason) }
  }

  private func answer(_ text: String, _ prompt: Int64, _ completion: Int64, _ hasUsage: Bool) -> ModelAnswer {
    ModelAnswer(
      text: .string(text), finishReason: "stop", model: "m-1", promptTokens: prompt, completionTokens: completion,
      hasUsage: hasUsage)
  }

  private func hang(_ deadline: Deadline, _ interrupt: Interrupt, _ tick: (() -> Bool)?) -> ModelFailure {
    let woken = DispatchSemaphore(value: 0)
    return interrupt.whileWaking({ woken.signal() }) {
      while true {
        if let reason = interrupt.reason { return ModelFailure(kind: .interrupted(reason), message: "interrupted") }
        if deadline.hasPassed { return ModelFailure(kind: .timedOut, message: "no answer in time") }
        let step = min(deadline.remainingMilliseconds ?? tickMilliseconds, tickMilliseconds)
        let isWoken = woken.wait(timeout: .now() + .milliseconds(Int(step))) == .success
        if !isWoken, step == tickMilliseconds, let tick, !tick() {
          return ModelFailure(kind: .abandoned, message: "abandoned")
        }
      }
    }
  }
}

extension ModelFailure {
  static func transient(afterMilliseconds: Int64 = 0) -> ModelFailure {
    ModelFailure(
      kind: .http, httpStatus: 503, message: "busy", isTransient: true, retryAfterMilliseconds: afterMilliseconds)
  }
  static let permanent = ModelFailure(kind: .http, httpStatus: 400, message: "bad request")
}
