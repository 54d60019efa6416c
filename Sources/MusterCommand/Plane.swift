import CMuster
import Glibc

/// An open control plane, closed with its last owner.
final class Plane {
  /// A call that the library refused or that failed.
  struct CallFailure: Error {
    let status: muster_status
    let httpStatus: Int32
    let message: String

    /// The failure for the shell.
    var failure: Failure { .operation(message) }
  }

  let handle: OpaquePointer

  /// Opens the store at `path`, with the model that the environment names for agents that name none.
  init(store path: String) throws(Failure) {
    guard let config = Value.object(), let model = Value.object() else { throw .operation("out of memory") }
    config.set("store", path)
    var namesModel = false
    for (variable, key) in [
      ("MUSTER_MODEL_PROVIDER", "provider"), ("MUSTER_MODEL", "name"), ("MUSTER_MODEL_BASE", "api_base"),
    ] {
      if let value = try Self.environment(variable) {
        model.set(key, value)
        namesModel = true
      }
    }
    if namesModel { config.set("default_model", model) }
    var opened: OpaquePointer?
    var error: OpaquePointer?
    let status = muster_open(config.text, nil, &opened, &error)
    guard status == MUSTER_OK, let opened else { throw Self.failure(status, error).failure }
    handle = opened
  }

  deinit { _ = muster_close(handle) }

  /// Makes a call and gives the JSON text of its answer. `timeoutMilliseconds` 0 takes the plane's default.
  func call(_ operation: String, _ arguments: String, timeoutMilliseconds: Int64 = 0) throws(CallFailure) -> String {
    var json: UnsafeMutablePointer<CChar>?
    var length = 0
    var error: OpaquePointer?
    let status = muster_call(handle, operation, arguments, timeoutMilliseconds, &json, &length, &error)
    guard status == MUSTER_OK, let json else { throw Self.failure(status, error) }
    defer { muster_free(json) }
    return String(decoding: UnsafeRawBufferPointer(start: json, count: length), as: UTF8.self)
  }

  /// The value of an environment variable; nil when it is not set or empty.
  static func environment(_ name: String) throws(Failure) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    guard let text = String(validatingCString: value) else { throw .usage("\(name) is not UTF-8") }
    return text
  }

  private static func failure(_ status: muster_status, _ error: OpaquePointer?) -> CallFailure {
    defer { muster_error_free(error) }
    return CallFailure(
      status: status, httpStatus: muster_error_http_status(error), message: String(cString: muster_error_message(error))
    )
  }
}
