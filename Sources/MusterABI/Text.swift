import CPlatform
import MusterAPI
import MusterJSON

/// Texts across the boundary.
enum Text {
  /// A copy on the C heap with a NUL behind it, for the caller to free; nil when there is no memory.
  static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<CChar>? {
    guard let memory = malloc(bytes.count + 1) else { return nil }
    bytes.withUnsafeBytes { if let base = $0.baseAddress { memcpy(memory, base, bytes.count) } }
    let characters = memory.bindMemory(to: CChar.self, capacity: bytes.count + 1)
    characters[bytes.count] = 0
    return characters
  }

  /// The bytes of a text that the caller must give; at most `maximum`.
  static func bytes(
    _ text: UnsafePointer<CChar>?, _ name: String, maximum: Int = JSONLimits.request.bytes
  ) throws(Failure) -> [UInt8] {
    guard let text else { throw Failure(.misuse, "\(name) is NULL") }
    let count = strnlen(text, maximum + 1)
    guard count <= maximum else { throw Failure(.limit, "\(name) has more than \(maximum) bytes") }
    return Array(UnsafeRawBufferPointer(start: text, count: count))
  }

  /// A text that the caller must give, as a string; it has to be UTF-8.
  static func string(_ text: UnsafePointer<CChar>?, _ name: String) throws(Failure) -> String {
    let bytes = try bytes(text, name, maximum: 65_536)
    guard UTF8Check.isValid(bytes) else { throw Failure(.utf8, "\(name) is not UTF-8") }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A JSON text that the caller must give.
  static func json(
    _ text: UnsafePointer<CChar>?, _ name: String, maximum: Int = JSONLimits.request.bytes
  ) throws(Failure) -> JSON {
    let bytes = try bytes(text, name, maximum: maximum)
    do throws(JSONError) {
      return try JSON.parse(bytes)
    } catch {
      if error.kind == .syntax, !UTF8Check.isValid(bytes) { throw Failure(.utf8, "\(name) is not UTF-8") }
      throw Failure(error, in: name)
    }
  }
}
