import CMuster
import CPlatform
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
    let (id, text) = (Text.copy(Array(callID.utf8)), Text.copy(json))
    if let function, let id, let text { function(data, id, text) }
    free(id)
    free(text)
  }

  /// The host asks with `muster_tool_cancelled`.
  func cancel(_ callID: String) {}

  func release() {
    guard let giveBack else { return }
    Host.inCallback { giveBack(data) }
  }
}
