/// Why the registry does not do what the host asks for.
package enum ToolRegistryError: Error, Equatable {
  /// Another tool has the name.
  case nameTaken
  /// No tool has the name.
  case unknownTool
  /// No call that waits has the id: it was answered, it timed out, it was cancelled, or there was none.
  case unknownCall
  /// There are `ToolRegistry.most` tools already.
  case full
  /// A call of a tool is under way on this thread, which would be waited for.
  case wouldWaitForItself
  case closed
}
