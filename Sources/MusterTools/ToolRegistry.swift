package import MusterJSON
package import MusterSystem

/// The tools that the host has registered, and their calls. Every function may be called from any thread.
package final class ToolRegistry: @unchecked Sendable {
  /// How many tools there may be.
  private static let most = 4096

  private let log: Log
  /// On which the host's code runs.
  private let pool: ThreadPool
  /// Of its own, because the host may hold every thread of the other one.
  private let timers = ThreadPool(name: "muster-tooltime", most: 2)
  private let lock = Lock()
  private let changed = Condition()
  // Under the lock.
  private var tools: [String: RegisteredTool] = [:]
  private var inOrder: [ToolSpec] = []
  private var calls: [String: ToolCall] = [:]
  private var isClosed = false
  /// How many tools are being unregistered, and how many listeners are being told.
  private var leaving = 0
  private var telling = 0

  /// `threads`: how many calls of the host may be under way. They come when they are needed.
  package init(threads: Int, log: Log) {
    pool = ThreadPool(name: "muster-tools", most: threads)
    self.log = log
  }

  // MARK: - Tools

  /// Takes a tool in. When it throws, the handler is the caller's, and is not released.
  package func register(_ spec: ToolSpec, _ handler: any ToolHandler) throws(ToolRegistryError) {
    let tool = RegisteredTool(spec, handler)
    try lock.withLock { () throws(ToolRegistryError) in
      if isClosed { throw .closed }
      if tools[spec.name] != nil { throw .nameTaken }
      guard tools.count < ToolRegistry.most else { throw .full(ToolRegistry.most) }
      tools[spec.name] = tool
      inOrder.append(spec)
    }
  }

  /// Takes a tool out: its calls end with an error, the host's code is waited for, and the handler is released. `handler`:
  /// only if the tool has this one. Not from inside a call of a tool.
  package func unregister(_ name: String, of handler: (any ToolHandler)? = nil) throws(ToolRegistryError) {
    if ToolThread.isInCall { throw .wouldWaitForItself }
    let (tool, open) = try lock.withLock { () throws(ToolRegistryError) -> (RegisteredTool, [ToolCall]) in
      if isClosed { throw .closed }
      guard let tool = tools[name], handler == nil || tool.handler === handler else { throw .unknownTool }
      tools[name] = nil
      inOrder.removeAll { $0 === tool.spec }
      leaving += 1
      return (tool, calls.map { $0.value }.filter { $0.tool === tool })
    }
    for call in open { end(call, .unregistered) }
    lock.withLock { while tool.inside > 0 { _ = changed.wait(lock) } }
    tool.handler.release()
    lock.withLock {
      leaving -= 1
      changed.broadcast()
    }
  }

  /// The tools in the order in which they were registered.
  package func specs() -> [ToolSpec] { lock.withLock { inOrder } }

  package func spec(_ name: String) -> ToolSpec? { lock.withLock { tools[name]?.spec } }

  // MARK: - Calls

  /// Calls a tool; the listener hears what comes of it. `onCaller`: this thread waits for the run, and may run the host's
  /// code, which it does if the tool wants that.
  package func start(
    _ invocation: ToolInvocation, onCaller: Bool, listener: any ToolListener
  ) throws(ToolUnavailable) -> ToolCall {
    let text = invocation.text
    let frame = ToolThread.frame(invocation.organizationID, invocation.taskID)
    let call = try lock.withLock { () throws(ToolUnavailable) -> ToolCall in
      if isClosed { throw .closed }
      guard let tool = tools[invocation.name] else { throw .unknown }
      if tool.spec.isOnCaller, !onCaller { throw .callerOnly }
      if calls[invocation.callID] != nil { throw .underWay }
      let call = ToolCall(invocation, text, frame, tool: tool, registry: self, listener: listener)
      calls[call.id] = call
      return call
    }
    if hasThread(call) { return call }
    // Unless something else has ended it, and told its listener.
    if end(call, .cancelled) { throw .noThread }
    return call
  }

  /// Sees to it that the host is told of a call, and that its time is measured. False when there is no thread for that.
  private func hasThread(_ call: ToolCall) -> Bool {
    let spec = call.tool.spec
    if spec.isOnCaller {
      deliver(call)
      return true
    }
    let timer = timers.schedule(ToolCall.Timeout(call), at: .after(milliseconds: spec.timeoutMilliseconds))
    guard let timer else { return false }
    let isOver = lock.withLock { () -> Bool in
      if call.listener != nil { call.timer = timer }
      return call.listener == nil
    }
    if isOver { timers.callOff(timer) }
    if call.tool.returnsAtOnce {
      deliver(call)
      return true
    }
    return pool.submit(call)
  }

  /// Tells the host of a call, unless it is over already.
  func deliver(_ call: ToolCall) {
    let tool = call.tool
    let isWanted = lock.withLock { () -> Bool in
      guard call.listener != nil else { return false }
      call.isTold = true
      call.isBeingTold = true
      tool.inside += 1
      return true
    }
    guard isWanted else { return }
    ThreadFrame.run(in: call.frame) { tool.handler.call(call.id, call.text) }
    let owesCancel = lock.withLock { () -> Bool in
      call.isBeingTold = false
      return call.owesCancel
    }
    if owesCancel { tool.handler.cancel(call.id) }
    leave(tool)
  }

  private func leave(_ tool: RegisteredTool) {
    lock.withLock {
      tool.inside -= 1
      if tool.inside == 0 { changed.broadcast() }
    }
  }

  /// Ends a call: the host is told if it does not know, and the listener if it is to hear of it. False when it was over.
  @discardableResult
  func end(_ call: ToolCall, _ ending: ToolCall.Ending) -> Bool {
    lock.lock()
    guard let listener = call.listener else {
      lock.unlock()
      return false
    }
    let result = call.result(of: ending)
    call.listener = nil
    calls[call.id] = nil
    let timer = call.timer
    var tellsHost = call.isTold
    if case .answered = ending { tellsHost = false }
    if tellsHost, call.isBeingTold, call.tool.returnsAtOnce {
      // Not before it has heard of the call; whoever is telling it goes on with this.
      call.owesCancel = true
      tellsHost = false
    }
    if tellsHost { call.tool.inside += 1 }
    if result != nil { telling += 1 }
    lock.unlock()
    if let timer { timers.callOff(timer) }
    if tellsHost {
      call.tool.handler.cancel(call.id)
      leave(call.tool)
    }
    guard let result else { return true }
    if case .timedOut = ending { log.write(.warning, "tools", "\(call.tool.spec.name): a call timed out") }
    // What a run does next is not inside of the call that was answered.
    ThreadFrame.run(in: nil) { listener.returned(result) }
    lock.withLock {
      telling -= 1
      if telling == 0 { changed.broadcast() }
    }
    return true
  }

  /// The host's answer to a call; it is kept up to the tool's limit.
  package func reply(_ callID: String, _ content: JSON, isError: Bool) throws(ToolRegistryError) {
    guard let call = lock.withLock({ calls[callID] }) else { throw .unknownCall }
    let result = ToolResult(content, isError: isError, limit: call.tool.spec.resultLimit)
    guard end(call, .answered(result)) else { throw .unknownCall }
  }

  /// Whether nobody waits for the answer of a call: it was cancelled or answered, or there was none.
  package func isCancelled(_ callID: String) -> Bool { lock.withLock { calls[callID] == nil } }

  /// `ToolCall.cancel` for who has no more than the id: a call on the caller's thread may have to be cancelled before
  /// `start` has returned. Harmless when it is over.
  package func cancel(_ callID: String) {
    if let call = lock.withLock({ calls[callID] }) { end(call, .cancelled) }
  }

  /// Cancels the calls that there are.
  package func cancelAll() {
    for call in lock.withLock({ calls.map { $0.value } }) { end(call, .cancelled) }
  }

  // MARK: - The end

  /// Lets no calls and no tools in any more, and cancels the calls that there are. When this returns, no listener hears
  /// anything any more; the host's code may still run.
  package func beginClosing() {
    lock.withLock { isClosed = true }
    cancelAll()
    lock.withLock { while telling > 0 { _ = changed.wait(lock) } }
  }

  /// Ends it: calls are cancelled, the host's code is waited for, threads are stopped, and each handler is released. Called
  /// once, and not from inside a call of a tool.
  package func close() {
    beginClosing()
    let left = lock.withLock { () -> [RegisteredTool] in
      while leaving > 0 { _ = changed.wait(lock) }
      let left = inOrder.compactMap { tools[$0.name] }
      tools = [:]
      inOrder = []
      while left.contains(where: { $0.inside > 0 }) { _ = changed.wait(lock) }
      return left
    }
    pool.stop()
    timers.stop()
    for tool in left { tool.handler.release() }
  }
}
