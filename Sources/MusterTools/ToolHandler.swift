/// How the host is reached about a tool.
package protocol ToolHandler: AnyObject, Sendable {
  /// Whether a call waits to be read. Then `call` is brief and without the host's code, no thread of the registry is taken
  /// for it, and the host knows of the call from `ToolRegistry.read` on.
  var isQueue: Bool { get }
  /// Calls the tool; `json` says with what. On a thread of the registry's or, for a tool on the caller's thread, on that;
  /// several at once. It may take its time, and may come back to the registry. The answer is `ToolRegistry.reply`, from
  /// anywhere, meanwhile or later.
  func call(_ callID: String, _ json: [UInt8])
  /// Nobody waits any more for the answer of a call of which the host knows. From any thread, perhaps under locks, and
  /// while `call` is under way: brief, and without coming back.
  func cancel(_ callID: String)
  /// The tool is gone: nothing is called any more. Once.
  func release()
}

extension ToolHandler {
  package var isQueue: Bool { false }
}
