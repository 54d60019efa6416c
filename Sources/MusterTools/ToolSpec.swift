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

  /// Of parameters, which are written into journals and requests, inside of what else they have.
  private static var deepest: Int { 100 }

  private static let form = JSON.literal(
    #"""
    {"type":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"type":"string"},\#
    "description":{"type":"string","default":""},"parameters":{"type":"object","required":["type"],\#
    "properties":{"type":{"const":"object"}},"default":{"type":"object","properties":{}}},\#
    "read_only":{"type":"boolean","default":false},"idempotent":{"type":"boolean","default":false},\#
    "probe":{"type":"boolean","default":false},"thread":{"enum":["any","caller"],"default":"any"},\#
    "timeout_ms":{"type":["integer","null"],"minimum":1,"maximum":3600000,"default":null},\#
    "result_limit":{"type":"integer","minimum":256,"maximum":16777216,"default":65536}}}
    """#)

  /// Reads an object; an unknown key is an error. The schema is compiled to see that it can be.
  package init(_ json: JSON) throws(ToolSpecError) {
    let form = try ToolSpec.compile(ToolSpec.form, "")
    let given = form.applyingDefaults(to: json)
    if let violation = form.violations(of: given, limit: 1).first {
      throw ToolSpecError("\(violation.pointer): \(violation.message)")
    }
    name = given["name"]?.string ?? ""
    guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(ToolSpec.isOfName) else {
      throw ToolSpecError("/name: must be 1 to 64 letters, digits, _ and -")
    }
    description = given["description"]?.string ?? ""
    let parameters = (given["parameters"] ?? .null).detached
    if parameters.isDeeper(than: ToolSpec.deepest) {
      throw ToolSpecError("/parameters: nested deeper than \(ToolSpec.deepest) levels")
    }
    schema = try ToolSpec.compile(parameters, "/parameters: ")
    self.parameters = parameters
    isReadOnly = given["read_only"]?.bool ?? false
    isIdempotent = given["idempotent"]?.bool ?? false
    hasProbe = given["probe"]?.bool ?? false
    isOnCaller = given["thread"]?.isString("caller") ?? false
    let timeout = given["timeout_ms"]?.int64
    if isOnCaller, timeout != nil {
      throw ToolSpecError("/timeout_ms: cannot be with \"thread\":\"caller\": nothing ends the host's own thread")
    }
    timeoutMilliseconds = isOnCaller ? 0 : timeout ?? 60_000
    resultLimit = Int(clamping: given["result_limit"]?.int64 ?? 0)
    var writer = JSONWriter(capacity: given.bytes.count &+ 32)
    writer.beginObject()
    writer.member("name", name)
    writer.member("description", description)
    writer.member("parameters", parameters)
    writer.member("read_only", isReadOnly)
    writer.member("idempotent", isIdempotent)
    writer.member("probe", hasProbe)
    writer.member("thread", isOnCaller ? "caller" : "any")
    writer.member("timeout_ms", isOnCaller ? nil : timeoutMilliseconds)
    writer.member("result_limit", Int64(resultLimit))
    writer.endObject()
    self.json = writer.json
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      return true
    default: return false
    }
  }

  private static func compile(_ schema: JSON, _ place: String) throws(ToolSpecError) -> JSONSchema {
    do throws(JSONSchemaError) {
      return try JSONSchema.compile(schema)
    } catch {
      throw ToolSpecError(place + error.description)
    }
  }
}
