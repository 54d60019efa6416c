package import MusterJSON
package import MusterSystem

/// The tools that the host has registered, and their calls. Every function may be called from any thread.
package final class ToolRegistry: @unchecked Sendable {
  /// How many tools there may be. They are looked through one by one.
  package static var most: Int { 1024 }

  private let log: Log
  /// On which the host's code runs.
  private let pool: ThreadPool
  /// Of its own, because the host may hold every thread of the other one.
  private let timers = ThreadPool(name: "muster-tooltime", most: 2)
  private let lock = Lock()
  private let changed = Condition()
  // Under the lock.
  private var tools = [RegisteredTool]()
  /// Of the tools, in the same order.
  private var known = [ToolSpec]()
  private var calls = [String: ToolCall]()
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
    lock.lock()
    defer { lock.unlock() }
    if isClosed { throw .closed }
    if place(of: spec.name) != nil { throw .nameTaken }
    guard tools.count < ToolRegistry.most else { throw .full }
    tools.append(tool)
    known.append(spec)
  }

  /// Where a tool stands. Called with the lock held.
  private func place(of name: String) -> Int? {
    for index in known.indices where known[index].name == name { return index }
    return nil
  }

  /// Takes a tool out: its calls end with an error, the host's code is waited for, and the handler is released. `handler`:
  /// only if the tool has this one. Not from inside a call of a tool.
  package func unregister(_ name: String, of handler: (any ToolHandler)? = nil) throws(ToolRegistryError) {
    if ToolThread.isInCall { throw .wouldWaitForItself }
    let tool = try take(name, of: handler)
    for call in open(of: tool) { end(call, .unregistered) }
    waitUntilOutside(tool)
    tool.handler.release()
    lock.lock()
    leaving -= 1
    changed.broadcast()
    lock.unlock()
  }

  private func take(_ name: String, of handler: (any ToolHandler)?) throws(ToolRegistryError) -> RegisteredTool {
    lock.lock()
    defer { lock.unlock() }
    if isClosed { throw .closed }
    guard let place = place(of: name), handler == nil || tools[place].handler === handler else { throw .unknownTool }
    leaving += 1
    known.remove(at: place)
    return tools.remove(at: place)
  }

  /// The calls that have not ended, of one tool or of all.
  private func open(of tool: RegisteredTool?) -> [ToolCall] {
    lock.lock()
    defer { lock.unlock() }
    var open: [ToolCall] = []
    for call in calls where tool == nil || call.value.tool === tool { open.append(call.value) }
    return open
  }

  private func waitUntilOutside(_ tool: RegisteredTool) {
    lock.lock()
    while tool.inside > 0 { _ = changed.wait(lock) }
    lock.unlock()
  }

  /// The tools in the order in which they were registered.
  package func specs() -> [ToolSpec] {
    lock.lock()
    defer { lock.unlock() }
    return known
  }

  package func spec(_ name: String) -> ToolSpec? {
    lock.lock()
    defer { lock.unlock() }
    return place(of: name).map { known[$0] }
  }

  // MARK: - Calls

  /// Calls a tool; the listener hears what comes of it. `onCaller`: this thread waits for the run, and may run the host's
  /// code, which it does if the tool wants that.
  package func start(
    _ invocation: ToolInvocation, onCaller: Bool, listener: any ToolListener
  ) throws(ToolUnavailable) -> ToolCall {
    let call = ToolCall(invocation, registry: self, listener: listener)
    try add(call, invocation.name, onCaller: onCaller)
    // Something else may have ended it already, and told its listener.
    if !hasThread(call), end(call, .cancelled) { throw .noThread }
    return call
  }

  private func add(_ call: ToolCall, _ name: String, onCaller: Bool) throws(ToolUnavailable) {
    lock.lock()
    defer { lock.unlock() }
    if isClosed { throw .closed }
    guard let place = place(of: name) else { throw .unknown }
    let tool = tools[place]
    if tool.spec.isOnCaller, !onCaller { throw .callerOnly }
    if calls[call.id] != nil { throw .underWay }
    call.tool = tool
    calls[call.id] = call
  }

  /// Sees to it that the host is told of a call, and that its time is measured. False when there is no thread for that.
  private func hasThread(_ call: ToolCall) -> Bool {
    guard let tool = call.tool else { return false }
    if !tool.spec.isOnCaller {
      let end = Deadline.after(milliseconds: tool.spec.timeoutMilliseconds)
      guard let timer = timers.schedule(ToolCall.Timeout(call), at: end) else { return false }
      lock.lock()
      let isOver = call.listener == nil
      if !isOver { call.timer = timer }
      lock.unlock()
      if isOver { timers.callOff(timer) }
      if !tool.isQueue { return pool.submit(call) }
    }
    deliver(call)
    return true
  }

  /// Tells the host of a call, unless it is over already.
  func deliver(_ call: ToolCall) {
    guard let tool = call.tool else { return }
    lock.lock()
    let isWanted = call.listener != nil
    if isWanted {
      call.isTold = !tool.isQueue
      tool.inside += 1
    }
    lock.unlock()
    guard isWanted else { return }
    ThreadFrame.run(in: call.frame) { tool.handler.call(call.id, call.text) }
    leave(tool)
  }

  /// Notes that the host reads a call that waited. False when the call is over: then the host does not get it.
  package func read(_ callID: String) -> Bool {
    lock.lock()
    defer { lock.unlock() }
    guard let call = calls[callID] else { return false }
    call.isTold = true
    return true
  }

  private func leave(_ tool: RegisteredTool) {
    lock.lock()
    tool.inside -= 1
    if tool.inside == 0 { changed.broadcast() }
    lock.unlock()
  }

  /// Ends a call: the host is told if it does not know, and the listener if it is to hear of it. False when it was over.
  @discardableResult
  func end(_ call: ToolCall, _ ending: ToolCall.Ending) -> Bool {
    lock.lock()
    guard let listener = call.listener, let tool = call.tool else {
      lock.unlock()
      return false
    }
    let result = call.result(of: ending)
    call.listener = nil
    calls[call.id] = nil
    var tellsHost = call.isTold
    if case .answered = ending { tellsHost = false }
    if tellsHost { tool.inside += 1 }
    if result != nil { telling += 1 }
    let timer = call.timer
    lock.unlock()
    if let timer { timers.callOff(timer) }
    if tellsHost {
      tool.handler.cancel(call.id)
      leave(tool)
    }
    guard let result else { return true }
    if case .timedOut = ending { log.write(.warning, "tools", "\(tool.spec.name): a call timed out") }
    // What a run does next is not inside of the call that was answered.
    ThreadFrame.run(in: nil) { listener.returned(result) }
    lock.lock()
    telling -= 1
    if telling == 0 { changed.broadcast() }
    lock.unlock()
    return true
  }

  private func find(_ id: String) -> ToolCall? {
    lock.lock()
    defer { lock.unlock() }
    return calls[id]
  }

  /// The host's answer to a call; it is kept up to the tool's limit.
  package func reply(_ callID: String, _ content: JSON, isError: Bool) throws(ToolRegistryError) {
    guard let call = find(callID), let tool = call.tool else { throw .unknownCall }
    let shaped = isError ? content : call.shape?(content) ?? content
    guard end(call, .answered(ToolResult(shaped, isError: isError, limit: tool.spec.resultLimit))) else {
      throw .unknownCall
    }
  }

  /// Whether nobody waits for the answer of a call: it was cancelled or answered, or there was none.
  package func isCancelled(_ callID: String) -> Bool { find(callID) == nil }

  /// `ToolCall.cancel` for who has no more than the id: a call on the caller's thread may have to be cancelled before
  /// `start` has returned. Harmless when it is over.
  package func cancel(_ callID: String) { find(callID)?.cancel() }

  /// Cancels the calls that there are.
  package func cancelAll() {
    for call in open(of: nil) { call.cancel() }
  }

  // MARK: - The end

  /// Lets no calls and no tools in any more, and cancels the calls that there are. When this returns, no listener hears
  /// anything any more; the host's code may still run.
  package func beginClosing() {
    lock.lock()
    isClosed = true
    lock.unlock()
    cancelAll()
    lock.lock()
    while telling > 0 { _ = changed.wait(lock) }
    lock.unlock()
  }

  /// Ends it: calls are cancelled, the host's code is waited for, threads are stopped, and each handler is released. Called
  /// once, and not from inside a call of a tool.
  package func close() {
    beginClosing()
    lock.lock()
    while leaving > 0 { _ = changed.wait(lock) }
    let left = tools
    tools = []
    known = []
    lock.unlock()
    for tool in left { waitUntilOutside(tool) }
    pool.stop()
    timers.stop()
    for tool in left { tool.handler.release() }
  }
}
