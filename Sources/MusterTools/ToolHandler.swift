/// How the host is reached about a tool.
package protocol ToolHandler: AnyObject, Sendable {
  /// Whether `call` is brief and leaves the host's code alone: then no thread of the registry is taken for it.
  var returnsAtOnce: Bool { get }
  /// Calls the tool; `json` says with what. On a thread of the registry's or, for a tool on the caller's thread, on that;
  /// several at once. It may take its time, and may come back to the registry. The answer is `ToolRegistry.reply`, from
  /// anywhere, meanwhile or later.
  func call(_ callID: String, _ json: [UInt8])
  /// Nobody waits for the answer of a call any more. From any thread, perhaps under locks, and while `call` is under way
  /// unless that returns at once: brief, and without coming back.
  func cancel(_ callID: String)
  /// The tool is gone: nothing is called any more. Once.
  func release()
}

extension ToolHandler {
  package var returnsAtOnce: Bool { false }
}
