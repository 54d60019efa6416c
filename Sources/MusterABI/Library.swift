// The names of the exported functions are those of the C header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CJansson
public import CMuster
import CPlatform
import MusterAPI
import MusterJSON

// The functions that need no plane: version, status, errors, memory.

@_cdecl("muster_version") @implementation
public func muster_version() -> UnsafePointer<CChar> { characters(BuildInformation.version) }

@_cdecl("muster_version_number") @implementation
public func muster_version_number() -> Int32 { MUSTER_VERSION_NUMBER }

@_cdecl("muster_abi_version") @implementation
public func muster_abi_version() -> Int32 { MUSTER_ABI_VERSION }

/// Made once, and kept for as long as the process lives.
private struct BuildText: @unchecked Sendable {
  static let shared = BuildText()
  let text: UnsafeMutablePointer<CChar>?

  private init() {
    var jansson = ""
    if let version = jansson_version_str() {
      jansson = String(decoding: UnsafeRawBufferPointer(start: version, count: strlen(version)), as: UTF8.self)
    }
    text = Text.copy(
      Array(BuildInformation.json(abiVersion: Int64(MUSTER_ABI_VERSION), janssonVersion: jansson).bytes))
  }
}

@_cdecl("muster_build_info") @implementation
public func muster_build_info() -> UnsafePointer<CChar> {
  guard let text = BuildText.shared.text else { return characters("{}") }
  return UnsafePointer(text)
}

@_cdecl("muster_status_name") @implementation
public func muster_status_name(_ status: muster_status) -> UnsafePointer<CChar> {
  characters(Status(rawValue: status).name)
}

@_cdecl("muster_error_status") @implementation
public func muster_error_status(_ error: OpaquePointer?) -> muster_status {
  (ErrorHandle.table.find(error)?.status ?? .badHandle).rawValue
}

@_cdecl("muster_error_http_status") @implementation
public func muster_error_http_status(_ error: OpaquePointer?) -> Int32 {
  ErrorHandle.table.find(error)?.httpStatus ?? 0
}

@_cdecl("muster_error_retryable") @implementation
public func muster_error_retryable(_ error: OpaquePointer?) -> Bool {
  ErrorHandle.table.find(error)?.isRetryable ?? false
}

@_cdecl("muster_error_message") @implementation
public func muster_error_message(_ error: OpaquePointer?) -> UnsafePointer<CChar> {
  guard let found = ErrorHandle.table.find(error) else { return characters("") }
  return UnsafePointer(found.message)
}

@_cdecl("muster_error_json") @implementation
public func muster_error_json(_ error: OpaquePointer?, _ length: UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar> {
  guard let found = ErrorHandle.table.find(error) else {
    length?.pointee = 2
    return characters("{}")
  }
  length?.pointee = found.documentLength
  return UnsafePointer(found.document)
}

@_cdecl("muster_error_free") @implementation
public func muster_error_free(_ error: OpaquePointer?) { _ = ErrorHandle.table.remove(error) }

@_cdecl("muster_free") @implementation
public func muster_free(_ memory: UnsafeMutableRawPointer?) { free(memory) }

/// The characters of a literal, which end with a NUL and live for ever.
private func characters(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
