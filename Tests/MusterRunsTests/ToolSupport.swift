import Foundation
import MusterJSON
import MusterSystem
import MusterTools

@testable import MusterRuns

/// A tool of the tests: what it does is a closure, on the thread that it is called on.
final class TestTool: ToolHandler, @unchecked Sendable {
  private let lock = NSLock()
  private let registry: ToolRegistry
  private let body: @Sendable (TestTool, String, JSON) -> String?
  private var heard: [JSON] = []
  private var told: [String] = []
  private var inside = 0
  private var crowd = 0

  init(_ registry: ToolRegistry, _ body: @escaping @Sendable (TestTool, String, JSON) -> String?) {
    self.registry = registry
    self.body = body
  }

  /// The calls that came.
  var calls: [JSON] { lock.withLock { heard } }
  /// Of which calls it was told that nobody waits.
  var cancelled: [String] { lock.withLock { told } }
  var largestCrowd: Int { lock.withLock { crowd } }

  func call(_ callID: String, _ text: [UInt8]) {
    let call = JSON.trusted(text)
    lock.withLock {
      heard.append(call)
      inside += 1
      crowd = max(crowd, inside)
    }
    let result = body(self, callID, call["arguments"] ?? .null)
    lock.withLock { inside -= 1 }
    if let result { reply(callID, result) }
  }

  func reply(_ callID: String, _ result: String, isError: Bool = false) {
    guard let result = try? JSON.parse(Array(result.utf8)) else { return }
    try? registry.reply(callID, result, isError: isError)
  }

  func cancel(_ callID: String) { lock.withLock { told.append(callID) } }
  func release() {}
}

extension Bench {
  /// Registers a tool that takes `{"n": integer}`. `does`: its result as JSON; nil: it does not answer by itself.
  @discardableResult
  func tool(
    _ name: String, _ members: String = "{}", _ does: @escaping @Sendable (TestTool, String, JSON) -> String?
  ) throws -> TestTool {
    let tool = TestTool(tools, does)
    let usual = try json(
      #"{"name":"\#(name)","description":"A tool.","parameters":{"type":"object","properties":{"n":{"type":"integer"}}}}"#
    )
    try tools.register(try ToolSpec(usual.setting(try json(members).members.map { ($0.key, $0.value) })), tool)
    return tool
  }
}
