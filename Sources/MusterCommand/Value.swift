import CJansson

/// A jansson value that is released with its last owner.
final class Value {
  let pointer: UnsafeMutablePointer<json_t>

  /// Takes over the caller's reference; nil gives nil.
  init?(owned pointer: UnsafeMutablePointer<json_t>?) {
    guard let pointer else { return nil }
    self.pointer = pointer
  }

  deinit { json_decref(pointer) }

  static func object() -> Value? { Value(owned: json_object()) }

  static func array(_ texts: [String]) -> Value? {
    guard let array = Value(owned: json_array()) else { return nil }
    for text in texts { json_array_append_new(array.pointer, json_string(text)) }
    return array
  }

  /// An object with one member, for calls that name one thing.
  static func object(_ key: String, _ value: String) throws(Failure) -> Value {
    guard let object = Value.object() else { throw .outOfMemory }
    object.set(key, value)
    return object
  }

  /// A value from JSON text of any kind.
  static func parse(_ text: String) throws(Failure) -> Value {
    var text = text
    var problem = json_error_t()
    let parsed = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        json_loadb($0.baseAddress, $0.count, size_t(JSON_DECODE_ANY), &problem)
      }
    }
    if let value = Value(owned: parsed) { return value }
    let reason = withUnsafeBytes(of: problem.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    throw Failure.usage("not JSON, line \(problem.line) column \(problem.column): \(reason)")
  }

  var isObject: Bool { pointer.pointee.type == JSON_OBJECT }

  /// The value as compact JSON text.
  var text: String {
    guard let dumped = json_dumps(pointer, size_t(JSON_COMPACT | JSON_ENCODE_ANY)) else { return "" }
    defer { free(dumped) }
    return String(cString: dumped)
  }

  func set(_ key: String, _ value: String) { json_object_set_new(pointer, key, json_string(value)) }

  func set(_ key: String, _ value: Int64) { json_object_set_new(pointer, key, json_integer(value)) }

  /// A number that is finite: JSON has no other.
  func set(_ key: String, number value: Double) { json_object_set_new(pointer, key, json_real(value)) }

  func set(_ key: String, _ value: Bool) { json_object_set_new(pointer, key, value ? json_true() : json_false()) }

  func setNull(_ key: String) { json_object_set_new(pointer, key, json_null()) }

  func set(_ key: String, _ value: Value) { json_object_set(pointer, key, value.pointer) }

  func member(_ key: String) -> Value? { Value(owned: json_incref(json_object_get(pointer, key))) }

  func string(_ key: String) -> String? { json_string_value(json_object_get(pointer, key)).map { String(cString: $0) } }

  func integer(_ key: String) -> Int64 { json_integer_value(json_object_get(pointer, key)) }

  func flag(_ key: String) -> Bool { json_object_get(pointer, key)?.pointee.type == JSON_TRUE }

  /// Whether there is something else than null under the key.
  func isPresent(_ key: String) -> Bool { json_object_get(pointer, key).map { $0.pointee.type != JSON_NULL } ?? false }

  var isEmpty: Bool { json_object_size(pointer) == 0 }

  /// The items of an array, none for another kind of value.
  var items: [Value] {
    (0..<json_array_size(pointer)).compactMap { Value(owned: json_incref(json_array_get(pointer, $0))) }
  }

  /// The texts in an array.
  var texts: [String] {
    (0..<json_array_size(pointer)).compactMap {
      json_string_value(json_array_get(pointer, $0)).map { String(cString: $0) }
    }
  }

  /// The members of an object, in order.
  var members: [(key: String, value: Value)] {
    var found: [(String, Value)] = []
    var place = json_object_iter(pointer)
    while let here = place {
      if let key = json_object_iter_key(here), let value = Value(owned: json_incref(json_object_iter_value(here))) {
        found.append((String(cString: key), value))
      }
      place = json_object_iter_next(pointer, here)
    }
    return found
  }

  func append(_ value: Value) { json_array_append(pointer, value.pointer) }

  /// Lays the members of another object over these.
  func merge(_ other: Value) { json_object_update(pointer, other.pointer) }
}
