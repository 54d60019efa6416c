import CJansson
import CPlatform
import MusterAPI
import MusterJSON

/// Between jansson's objects and text.
enum JanssonText {
  /// Gathers what jansson prints, up to the size of a request.
  private final class Output {
    var bytes: [UInt8] = []
    var isTooLarge = false
  }

  /// The value of the host's object. Its depth is checked before jansson recurses into it; objects that contain themselves are too deep.
  static func value(_ object: UnsafeMutablePointer<json_t>) throws(Failure) -> JSON {
    var visited = 0
    guard isShallow(object, depth: 0, &visited) else {
      throw Failure(.limit, "args: nested deeper than \(JSONLimits.request.depth) levels, or too large")
    }
    let output = Output()
    let result = json_dump_callback(
      object,
      { buffer, size, data in
        guard let buffer, let data else { return -1 }
        let output = Unmanaged<Output>.fromOpaque(data).takeUnretainedValue()
        guard output.bytes.count + size <= JSONLimits.request.bytes else {
          output.isTooLarge = true
          return -1
        }
        output.bytes.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: size))
        return 0
      }, Unmanaged.passUnretained(output).toOpaque(), Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY))
    if output.isTooLarge { throw Failure(.limit, "args: text of more than \(JSONLimits.request.bytes) bytes") }
    // Loops are too deep and were refused above, so this is all that jansson can refuse to print.
    guard result == 0 else { throw Failure(.utf8, "args: a string is not UTF-8") }
    do throws(JSONError) {
      return try JSON.parse(output.bytes)
    } catch {
      throw Failure(error, in: "args")
    }
  }

  /// Whether an object is nested no deeper than allowed; gives up on one with more values than a request has bytes.
  private static func isShallow(_ value: UnsafeMutablePointer<json_t>, depth: Int, _ visited: inout Int) -> Bool {
    visited += 1
    guard visited <= JSONLimits.request.bytes else { return false }
    switch value.pointee.type {
    case JSON_OBJECT:
      guard depth < JSONLimits.request.depth else { return false }
      var iterator = json_object_iter(value)
      while let place = iterator {
        if let inner = json_object_iter_value(place), !isShallow(inner, depth: depth + 1, &visited) { return false }
        iterator = json_object_iter_next(value, place)
      }
    case JSON_ARRAY:
      guard depth < JSONLimits.request.depth else { return false }
      for index in 0..<json_array_size(value) {
        if let inner = json_array_get(value, index), !isShallow(inner, depth: depth + 1, &visited) { return false }
      }
    default: break
    }
    return true
  }

  /// A new object for the host; nil when jansson has no memory.
  static func load(_ text: [UInt8]) -> UnsafeMutablePointer<json_t>? {
    text.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { json_loadb($0.baseAddress, $0.count, Int(JSON_DECODE_ANY), nil) }
    }
  }
}
