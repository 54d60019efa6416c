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

  private static let keys = JSON.literal(
    #"""
    {"type":"object","additionalProperties":false,"required":["name"],"properties":{"name":{"type":"string"},\#
    "description":{"type":"string","default":""},\#
    "parameters":{"type":"object","default":{"type":"object","properties":{}}},\#
    "read_only":{"type":"boolean","default":false},"idempotent":{"type":"boolean","default":false},\#
    "probe":{"type":"boolean","default":false},"thread":{"enum":["any","caller"],"default":"any"},\#
    "timeout_ms":{"type":"integer","minimum":1,"maximum":3600000,"default":60000},\#
    "result_limit":{"type":"integer","minimum":256,"maximum":16777216,"default":65536}}}
    """#)

  /// Reads an object; an unknown key is an error. The schema is compiled to see that it can be.
  package init(_ json: JSON) throws(ToolSpecError) {
    let filled = try ToolSpec.filled(json)
    name = filled["name"]?.string ?? ""
    guard ToolSpec.isName(filled["name"]?.utf8 ?? []) else {
      throw ToolSpecError("/name: must be 1 to 64 letters, digits, _ and -")
    }
    description = filled["description"]?.string ?? ""
    parameters = (filled["parameters"] ?? .null).detached
    guard parameters["type"]?.isString("object") ?? false, !parameters.isDeeper(than: ToolSpec.deepest) else {
      throw ToolSpecError(#"/parameters: without "type":"object", or nested too deep"#)
    }
    schema = try ToolSpec.compile(parameters, "/parameters: ")
    isReadOnly = ToolSpec.flag("read_only", filled)
    isIdempotent = ToolSpec.flag("idempotent", filled)
    hasProbe = ToolSpec.flag("probe", filled)
    isOnCaller = filled["thread"]?.isString("caller") ?? false
    resultLimit = Int(clamping: ToolSpec.integer("result_limit", filled))
    timeoutMilliseconds = isOnCaller ? 0 : ToolSpec.integer("timeout_ms", filled)
    if isOnCaller, json.present("timeout_ms") != nil {
      throw ToolSpecError(#"/timeout_ms: cannot be with "thread":"caller""#)
    }
    self.json = isOnCaller ? filled.setting([("timeout_ms", .null)]) : filled
  }

  /// A right spec with its defaults, in the order of the keys.
  private static func filled(_ json: JSON) throws(ToolSpecError) -> JSON {
    let schema = try compile(keys, "")
    let filled = schema.applyingDefaults(to: json)
    guard let violation = schema.violations(of: filled, limit: 1).first else { return filled }
    throw ToolSpecError("\(violation.pointer): \(violation.message)")
  }

  private static func flag(_ key: String, _ filled: JSON) -> Bool { filled[key]?.bool ?? false }

  private static func integer(_ key: String, _ filled: JSON) -> Int64 { filled[key]?.int64 ?? 0 }

  private static func isName(_ name: [UInt8]) -> Bool {
    for byte in name {
      let letter = byte | 0x20
      let isLetter = letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      if !isLetter, !isDigit, byte != UInt8(ascii: "_"), byte != UInt8(ascii: "-") { return false }
    }
    return !name.isEmpty && name.count <= 64
  }

  private static func compile(_ schema: JSON, _ place: String) throws(ToolSpecError) -> JSONSchema {
    do throws(JSONSchemaError) {
      return try JSONSchema.compile(schema)
    } catch {
      throw ToolSpecError(place + error.description)
    }
  }
}
