package import MusterJSON

/// What a tool is, as the host told.
package final class ToolSpec: Sendable {
  /// 1 to 64 letters, digits, `_` and `-`.
  package let name: String
  /// For the model; may be empty.
  package let description: String
  /// A JSON Schema of an object: what arguments the tool takes.
  package let parameters: JSON
  /// The same, to check arguments with.
  package let schema: JSONSchema
  /// Whether it changes nothing: it may be called again at any time.
  package let isReadOnly: Bool
  /// Whether a second call with the same idempotency key does nothing more.
  package let isIdempotent: Bool
  /// Whether it can tell, asked with `probe`, what became of a call.
  package let hasProbe: Bool
  /// Whether it is called on the thread that waits for the run, and there alone.
  package let isOnCaller: Bool
  /// How long a call may take; 0, without limit, for one on the caller's thread.
  package let timeoutMilliseconds: Int64
  /// How many bytes the text of a result may have; what is more is cut off.
  package let resultLimit: Int
  /// The normal form: every key, in a fixed order. It can be read again.
  package let json: JSON

  private static let deepest = 100

  /// Reads an object; an unknown key is an error. The schema is compiled to see that it can be.
  package init(_ json: JSON) throws(ToolSpecError) {
    guard json.kind == .object else { throw ToolSpecError("a tool", "must be an object") }
    var given: (name: String?, thread: Bool, timeout: Int64?) = (nil, false, nil)
    var flags = (isReadOnly: false, isIdempotent: false, hasProbe: false)
    var description = ""
    var parameters = JSON.literal(#"{"type":"object","properties":{}}"#)
    var limit: Int64 = 65_536
    for member in json.members {
      let value = member.value
      switch member.key {
      case "name": given.name = try ToolSpec.name(value)
      case "description":
        guard let text = value.string else { throw ToolSpecError("description", "must be a text") }
        description = text
      case "parameters": parameters = value.detached
      case "read_only": flags.isReadOnly = try ToolSpec.flag("read_only", value)
      case "idempotent": flags.isIdempotent = try ToolSpec.flag("idempotent", value)
      case "probe": flags.hasProbe = try ToolSpec.flag("probe", value)
      case "thread":
        given.thread = value.isString("caller")
        guard given.thread || value.isString("any") else {
          throw ToolSpecError("thread", #"must be "any" or "caller""#)
        }
      case "timeout_ms": if !value.isNull { given.timeout = try ToolSpec.integer("timeout_ms", value, 1...3_600_000) }
      case "result_limit": limit = try ToolSpec.integer("result_limit", value, 256...16_777_216)
      default: throw ToolSpecError(member.key, "is not a known key")
      }
    }
    guard let name = given.name else { throw ToolSpecError("name", "is missing") }
    if given.thread, given.timeout != nil {
      throw ToolSpecError("timeout_ms", "cannot be with \"thread\":\"caller\": the host's own thread is not left")
    }
    schema = try ToolSpec.compiled(parameters)
    self.name = name
    self.description = description
    self.parameters = parameters
    isReadOnly = flags.isReadOnly
    isIdempotent = flags.isIdempotent
    hasProbe = flags.hasProbe
    isOnCaller = given.thread
    timeoutMilliseconds = given.thread ? 0 : given.timeout ?? 60_000
    resultLimit = Int(clamping: limit)
    var writer = JSONWriter(capacity: parameters.bytes.count &+ description.utf8.count &+ 256)
    writer.beginObject()
    writer.member("name", name)
    writer.member("description", description)
    writer.member("parameters", parameters)
    writer.member("read_only", isReadOnly)
    writer.member("idempotent", isIdempotent)
    writer.member("probe", hasProbe)
    writer.member("thread", isOnCaller ? "caller" : "any")
    writer.member("timeout_ms", isOnCaller ? nil : timeoutMilliseconds)
    writer.member("result_limit", limit)
    writer.endObject()
    self.json = writer.json
  }

  private static func name(_ value: JSON) throws(ToolSpecError) -> String {
    guard let bytes = value.utf8, (1...64).contains(bytes.count), bytes.allSatisfy(isOfName) else {
      throw ToolSpecError("name", "must be 1 to 64 letters, digits, _ and -")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      return true
    default: return false
    }
  }

  private static func flag(_ key: String, _ value: JSON) throws(ToolSpecError) -> Bool {
    guard let flag = value.bool else { throw ToolSpecError(key, "must be true or false") }
    return flag
  }

  private static func integer(
    _ key: String, _ value: JSON, _ range: ClosedRange<Int64>
  ) throws(ToolSpecError) -> Int64 {
    guard let number = value.int64, range.contains(number) else {
      throw ToolSpecError(key, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private static func compiled(_ parameters: JSON) throws(ToolSpecError) -> JSONSchema {
    guard parameters.kind == .object, parameters["type"]?.isString("object") ?? false else {
      throw ToolSpecError("parameters", #"must be a JSON Schema with "type":"object""#)
    }
    // It is written into journals and requests, inside of what else they have.
    guard !parameters.isDeeper(than: deepest) else {
      throw ToolSpecError("parameters", "is nested deeper than \(deepest) levels")
    }
    do throws(JSONSchemaError) {
      return try JSONSchema.compile(parameters)
    } catch {
      throw ToolSpecError("parameters:", error.description)
    }
  }
}
