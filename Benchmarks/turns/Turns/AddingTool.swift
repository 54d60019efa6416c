import MusterJSON
import MusterTools

/// A tool of the host that answers on the thread that it is called on.
final class AddingTool: ToolHandler {
  private let registry: ToolRegistry

  init(_ registry: ToolRegistry) { self.registry = registry }

  func call(_ callID: String, _ text: [UInt8]) {
    let arguments = JSON.trusted(text)["arguments"]
    let sum = (arguments?["a"]?.int64 ?? 0) &+ (arguments?["b"]?.int64 ?? 0)
    try? registry.reply(callID, .trusted(Array("\(sum)".utf8)), isError: false)
  }

  func cancel(_ callID: String) {}
  func release() {}
}
