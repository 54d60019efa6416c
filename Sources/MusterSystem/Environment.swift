import CPlatform

/// The process environment, read only where a variable is documented.
package enum Environment {
  /// The value of a variable; nil when it is unset or empty, and in a set-user-id process.
  package static func value(_ name: String) -> String? {
    guard let text = name.withCString({ platform_environment($0) }) else { return nil }
    let value = String(
      decoding: UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return value.isEmpty ? nil : value
  }
}
