import MusterJSON
import MusterSystem

/// A call of a tool that was started.
package final class ToolCall: PoolJob, @unchecked Sendable {
  let id: String
  let text: [UInt8]
  /// What the call is inside of, on whichever thread it is.
  let frame: ThreadFrame
  let shape: (@Sendable (JSON) -> JSON)?
  private let registry: ToolRegistry
  /// Whether it was made before: then it may be done, whatever becomes of it now.
  private let isRepeat: Bool
  // Under the registry's lock.
  /// Set once, before anybody else knows the call.
  var tool: RegisteredTool?
  /// Nil when the call is over.
  var listener: (any ToolListener)?
  var timer: Int?
  /// Whether the host knows of it.
  var isTold = false

  init(_ invocation: ToolInvocation, registry: ToolRegistry, listener: any ToolListener) {
    id = invocation.callID
    text = invocation.text
    isRepeat = invocation.isRepeat
    shape = invocation.shape
    frame = ToolThread.frame(invocation.organizationID, invocation.taskID)
    self.registry = registry
    self.listener = listener
  }

  /// Nobody waits for it any more: the host is told, and the listener hears nothing. Harmless when it is over.
  package func cancel() { registry.end(self, .cancelled) }

  /// Calls the host.
  package func run() { registry.deliver(self) }

  /// What is done when its time is over.
  final class Timeout: PoolJob {
    private let call: ToolCall

    init(_ call: ToolCall) { self.call = call }

    func run() { call.registry.end(call, .timedOut) }
  }

  /// How a call ends.
  enum Ending {
    case answered(ToolResult)
    case cancelled
    case timedOut
    case unregistered
  }

  /// What its listener hears of an ending; nil when it hears nothing. Called under the registry's lock.
  func result(of ending: Ending) -> ToolResult? {
    let words: String
    switch ending {
    case .answered(let result): return result
    case .cancelled: return nil
    case .unregistered: words = "the tool was unregistered"
    case .timedOut: words = "timed out after \(tool?.spec.timeoutMilliseconds ?? 0) ms"
    }
    let isReadOnly = tool?.spec.isReadOnly ?? false
    let doubt = isReadOnly ? "" : isTold || isRepeat ? "; whether it was done is not known" : "; it was not begun"
    return ToolResult(content: .string(words + doubt), isError: true)
  }
}
