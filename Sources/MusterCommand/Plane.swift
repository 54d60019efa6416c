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
  /// The callbacks of the library go there; it lives as long as the plane is open.
  private let log: LogSink?

  /// Opens the store, with the model that the environment names for agents that name none; or connects to the server, with
  /// the key of the environment.
  init(_ session: Session, log: LogSink?, settings: Value?) throws(Failure) {
    guard let config = Value.object() else { throw .outOfMemory }
    config.set("store", session.target)
    if session.isRemote {
      if let key = try Self.environment("MUSTER_API_KEY") { config.set("api_key", key) }
    } else if let model = try Self.model() {
      config.set("default_model", model)
    }
    if let settings { config.merge(settings) }
    var opened: OpaquePointer?
    var error: OpaquePointer?
    let status: muster_status
    if let log {
      var host = log.host
      status = muster_open(config.text, &host, &opened, &error)
    } else {
      status = muster_open(config.text, nil, &opened, &error)
    }
    guard status == MUSTER_OK, let opened else { throw Self.failure(status, error).failure }
    handle = opened
    self.log = log
  }

  deinit { _ = muster_close(handle) }

  /// The model that the environment names; nil when it names none.
  private static func model() throws(Failure) -> Value? {
    guard let model = Value.object() else { throw .outOfMemory }
    var isNamed = false
    for (variable, key) in [
      ("MUSTER_MODEL_PROVIDER", "provider"), ("MUSTER_MODEL", "name"), ("MUSTER_MODEL_BASE", "api_base"),
    ] {
      if let value = try Self.environment(variable) {
        model.set(key, value)
        isNamed = true
      }
    }
    return isNamed ? model : nil
  }

  /// Makes a call and gives the JSON text of its answer. `timeoutMilliseconds` 0 takes the plane's default, a negative number
  /// waits without limit.
  func call(_ operation: String, _ arguments: String, timeoutMilliseconds: Int64 = 0) throws(CallFailure) -> String {
    var json: UnsafeMutablePointer<CChar>?
    var length = 0
    var error: OpaquePointer?
    let status = muster_call(handle, operation, arguments, timeoutMilliseconds, &json, &length, &error)
    guard status == MUSTER_OK, let json else { throw Self.failure(status, error) }
    defer { muster_free(json) }
    return String(decoding: UnsafeRawBufferPointer(start: json, count: length), as: UTF8.self)
  }

  /// The same, with failures for the shell.
  func answer(_ operation: String, _ arguments: Value, timeoutMilliseconds: Int64 = 0) throws(Failure) -> String {
    do throws(CallFailure) {
      return try call(operation, arguments.text, timeoutMilliseconds: timeoutMilliseconds)
    } catch {
      throw error.failure
    }
  }

  /// The value of an environment variable; nil when it is not set or empty.
  static func environment(_ name: String) throws(Failure) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    guard let text = String(validatingCString: value) else { throw .usage("\(name) is not UTF-8") }
    return text
  }

  static func failure(_ status: muster_status, _ error: OpaquePointer?) -> CallFailure {
    defer { muster_error_free(error) }
    return CallFailure(
      status: status, httpStatus: muster_error_http_status(error), message: String(cString: muster_error_message(error))
    )
  }
}
