import CMuster
import CPlatform
import MusterAPI
import MusterSystem
import MusterTools

/// What the host lends a plane: its log function, and what to release at the end.
final class Host: @unchecked Sendable {
  private let userData: UnsafeMutableRawPointer?
  private let log: muster_log_fn?
  private let release: muster_release_fn?
  /// Whether it brings a function for keys, which nothing uses yet.
  let wantsSecrets: Bool

  /// Reads the structure as far as the host's version of it goes.
  init(_ structure: UnsafePointer<muster_host>) throws(Failure) {
    let size = structure.pointee.struct_size
    guard size >= MemoryLayout<muster_host>.size else {
      throw Failure(.misuse, "muster_host.struct_size is \(size): set it with MUSTER_HOST_INIT")
    }
    userData = structure.pointee.user_data
    log = structure.pointee.log
    release = structure.pointee.release
    wantsSecrets = structure.pointee.secrets_key != nil
  }

  /// Gives the host's data back. Called exactly once, when no other callback can run any more.
  func giveBack() {
    guard let release else { return }
    Host.inCallback { release(userData) }
  }

  /// Whether this thread is inside a callback of a plane from which it may not be called: any but a tool's.
  static var isInCallback: Bool { platform_callback_depth() > 0 }

  /// Whether this thread is inside any callback, which a close would wait for.
  static var mayNotWait: Bool { isInCallback || ToolThread.isInCall }

  static func inCallback(_ body: () -> Void) {
    platform_callback_enter()
    body()
    platform_callback_leave()
  }

  /// The log of a plane with this host.
  var logger: Log {
    guard let log else { return .none }
    let userData = UInt(bitPattern: userData)
    return Log { level, component, message in
      var text = Array(message.utf8)
      let count = text.count
      text.append(0)
      text.withUnsafeBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) { characters in
          component.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) { component in
              guard let base = characters.baseAddress, let component = component.baseAddress else { return }
              Host.inCallback {
                log(UnsafeMutableRawPointer(bitPattern: userData), level.rawValue, component, base, count)
              }
            }
          }
        }
      }
    }
  }
}
