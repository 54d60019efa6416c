import MusterJSON

/// Takes the secrets out of an agent's document before it is stored, and leaves a mask in their place.
enum AgentSecrets {
  static let mask = "********"

  /// Where secrets are: keys, `*` for each element of an array, `**` for each value of a map.
  private static let places: [[String]] = [
    ["llm_credentials", "value"],
    ["connectivity_details", "auth_value"],
    ["connectivity_details", "custom_headers", "**"],
    ["graph", "*", "settings", "mcp_settings", "api_key"],
    ["graph", "*", "settings", "mcp_settings", "client_secret"],
    ["graph", "*", "settings", "mcp_settings", "headers", "**"],
    ["graph", "*", "settings", "mcp_settings", "env_vars", "**"],
  ]

  /// The members of a document in which secrets are.
  static let keys = ["llm_credentials", "connectivity_details", "graph"]

  /// The document with masks, and the secrets by their places as an object; nil when there are none. A mask that came in stands for the secret that
  /// `previous` has at its place.
  static func separate(_ document: JSON, previous: JSON?) -> (document: JSON, secrets: JSON?) {
    var found: [(key: String, value: JSON)] = []
    var changes: [(key: String, value: JSON)] = []
    // One look at each member: most have no secrets, and most agents have none at all.
    for member in document.members where !member.value.isEmpty {
      guard let key = keys.first(where: { member.lexeme.isString($0) }) else { continue }
      var value = member.value
      for place in places where place.first == key {
        value = replace(value, place.dropFirst(), "/\(key)", previous, &found)
      }
      if !value.hasSameBytes(member.value) { changes.append((key, value)) }
    }
    let masked = changes.isEmpty ? document : document.setting(changes)
    if found.isEmpty { return (masked, nil) }
    var writer = JSONWriter()
    writer.beginObject()
    for secret in found { writer.member(text: secret.key, secret.value) }
    writer.endObject()
    return (masked, writer.json)
  }

  /// Follows the rest of a place into a value; its length bounds the recursion.
  private static func replace(
    _ value: JSON, _ place: ArraySlice<String>, _ name: String, _ previous: JSON?,
    _ found: inout [(key: String, value: JSON)]
  ) -> JSON {
    guard let step = place.first else { return masked(value, name, previous, &found) }
    switch (step, value.kind) {
    case ("*", .array):
      var writer = JSONWriter(capacity: value.bytes.count + 16)
      writer.beginArray()
      var count: [String: Int] = [:]
      for element in value.elements {
        let identity = identity(element)
        let earlier = count[identity, default: 0]
        count[identity] = earlier + 1
        // Elements that say the same of themselves are told apart by their order.
        let own = earlier == 0 ? "\(name)/\(identity)" : "\(name)/\(identity)~~\(earlier)"
        writer.value(replace(element, place.dropFirst(), own, previous, &found))
      }
      writer.endArray()
      return writer.json
    case ("**", .object):
      var writer = JSONWriter(capacity: value.bytes.count + 16)
      writer.beginObject()
      for member in value.members {
        writer.key(member.lexeme)
        writer.value(replace(member.value, place.dropFirst(), "\(name)/\(escaped(member.key))", previous, &found))
      }
      writer.endObject()
      return writer.json
    case (_, .object):
      guard let inner = value[step] else { return value }
      let replaced = replace(inner, place.dropFirst(), "\(name)/\(step)", previous, &found)
      return replaced.hasSameBytes(inner) ? value : value.setting([(step, replaced)])
    default: return value
    }
  }

  private static func masked(
    _ value: JSON, _ name: String, _ previous: JSON?, _ found: inout [(key: String, value: JSON)]
  ) -> JSON {
    if value.isEmpty { return value }
    if value.isString(mask) {
      if let kept = previous?[name] { found.append((name, kept)) }
      return value
    }
    found.append((name, value))
    return .string(mask)
  }

  /// Names an element of an array by what it says of itself, so that its secret follows it when the order changes;
  /// empty when it says nothing.
  private static func identity(_ element: JSON) -> String {
    for key in ["id", "item_id"] {
      if let text = element[key]?.string, !text.isEmpty { return escaped(text) }
    }
    return ""
  }

  /// A part of a name as in a JSON pointer, so that no two places have the same name.
  private static func escaped(_ part: String) -> String {
    var bytes: [UInt8] = []
    for byte in part.utf8 {
      switch byte {
      case UInt8(ascii: "~"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "0")]
      case UInt8(ascii: "/"): bytes += [UInt8(ascii: "~"), UInt8(ascii: "1")]
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
