/// A tool that is registered, or on its way out.
final class RegisteredTool: @unchecked Sendable {
  let spec: ToolSpec
  let handler: any ToolHandler
  let isQueue: Bool
  /// How many threads are inside its handler. Under the registry's lock.
  var inside = 0

  init(_ spec: ToolSpec, _ handler: any ToolHandler) {
    self.spec = spec
    self.handler = handler
    isQueue = handler.isQueue
  }
}
