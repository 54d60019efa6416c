import CMuster
import MusterAPI
import MusterJSON

/// The outputs of a call that gives a text.
struct TextOutput {
  let text: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  let length: UnsafeMutablePointer<Int>?

  /// Sets the outputs as they have to be on entry.
  func clear() {
    text?.pointee = nil
    length?.pointee = 0
  }

  func give(_ bytes: [UInt8]) throws(Failure) {
    if let text {
      guard let copy = Text.copy(bytes) else { throw Failure(.internal, "out of memory") }
      text.pointee = copy
    }
    length?.pointee = bytes.count
  }
}

/// Calls an operation for an exported function: looks the handle up, makes the arguments, and turns what comes of it into status and outputs.
func perform(
  _ handle: OpaquePointer?, _ operation: String, timeoutMilliseconds: Int64 = 0, _ output: TextOutput,
  _ errorOutput: UnsafeMutablePointer<OpaquePointer?>?, _ arguments: () throws(Failure) -> Arguments
) -> muster_status {
  output.clear()
  errorOutput?.pointee = nil
  do throws(Failure) {
    let found = try PlaneHandle.find(handle)
    let answer = try found.plane.call(operation, try arguments(), timeoutMilliseconds: timeoutMilliseconds)
    try output.give(answer)
    return Status.ok.rawValue
  } catch {
    return report(error, errorOutput)
  }
}
