import CMuster
import MusterTools

/// A tool that is a function of the host.
final class HostTool: ToolHandler {
  private let function: muster_tool_fn?
  /// An address of the host.
  private let userData: UInt
  private let giveBack: muster_release_fn?

  init(_ function: muster_tool_fn?, _ userData: UnsafeMutableRawPointer?, _ release: muster_release_fn?) {
    self.function = function
    self.userData = UInt(bitPattern: userData)
    giveBack = release
  }

  var isCallable: Bool { function != nil }

  private var data: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: userData) }

  func call(_ callID: String, _ json: [UInt8]) {
    guard let function else { return }
    withText(Array(callID.utf8)) { id in withText(json) { json in function(data, id, json) } }
  }

  private func withText(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Void) {
    var text = bytes
    text.append(0)
    text.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { if let base = $0.baseAddress { body(base) } }
    }
  }

  /// The host asks with `muster_tool_cancelled`.
  func cancel(_ callID: String) {}

  func release() {
    guard let giveBack else { return }
    Host.inCallback { giveBack(data) }
  }
}
