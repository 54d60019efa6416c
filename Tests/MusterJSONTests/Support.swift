import CJansson
import MusterJSON

/// A value from a text that must be JSON.
func json(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

/// The text of a value.
func text(_ json: JSON) -> String { String(decoding: json.bytes, as: UTF8.self) }

/// The library that the parser and the writer are held to.
enum Jansson {
  /// Its compact print of a text; nil when it refuses the text.
  static func print(_ text: [UInt8], flags: Int = 0) -> [UInt8]? {
    let value = text.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        json_loadb($0.baseAddress, $0.count, Int(JSON_DECODE_ANY) | flags, nil)
      }
    }
    guard let value else { return nil }
    defer { json_decref(value) }
    return print(value)
  }

  /// Its print of a string.
  static func print(string content: [UInt8]) -> [UInt8]? {
    let value = content.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { json_stringn($0.baseAddress, $0.count) }
    }
    guard let value else { return nil }
    defer { json_decref(value) }
    return print(value)
  }

  private static func print(_ value: UnsafeMutablePointer<json_t>) -> [UInt8]? {
    let flags = Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY)
    var printed = [UInt8](repeating: 0, count: json_dumpb(value, nil, 0, flags))
    let size = printed.withUnsafeMutableBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { json_dumpb(value, $0.baseAddress, $0.count, flags) }
    }
    return size == printed.count ? printed : nil
  }
}
