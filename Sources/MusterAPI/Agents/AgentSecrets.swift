import MusterJSON

/// Takes the secrets out of an agent's document before it is stored, and leaves a mask in their place.
enum AgentSecrets {
  static let mask = "********"

  /// Where secrets are: keys, `*` for each element of an array, `**` for each value of a map.
  private static let places: [[String]] = [
    ["llm_credentials", "value"],
    ["connectivity_details", "auth_value"],
    ["graph", "*", "settings", "mcp_settings", "api_key"],
    ["graph", "*", "settings", "mcp_settings", "client_secret"],
    ["graph", "*", "settings", "mcp_settings", "headers", "**"],
    ["graph", "*", "settings", "mcp_settings", "env_vars", "**"],
  ]

  /// The document with masks, and the secrets by their places as an object; nil when there are none. A mask that came in stands for the secret that
  /// `previous` has at its place.
  static func separate(_ document: JSON, previous: JSON?) -> (document: JSON, secrets: JSON?) {
    var found: [(key: String, value: JSON)] = []
    var masked = document
    for place in places {
      guard let first = place.first, let value = masked[first], !value.isEmpty else { continue }
      let replaced = replace(value, place.dropFirst(), "/\(first)", previous, &found)
      if !replaced.hasSameBytes(value) { masked = masked.setting([(first, replaced)]) }
    }
    if found.isEmpty { return (masked, nil) }
    var writer = JSONWriter()
    writer.beginObject()
    for secret in found { writer.member(secret.key, secret.value) }
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
      for (index, element) in value.elements.enumerated() {
        writer.value(replace(element, place.dropFirst(), "\(name)/\(identity(element) ?? "\(index)")", previous, &found))
      }
      writer.endArray()
      return writer.json
    case ("**", .object):
      var writer = JSONWriter(capacity: value.bytes.count + 16)
      writer.beginObject()
      for member in value.members {
        writer.key(member.lexeme)
        writer.value(replace(member.value, place.dropFirst(), "\(name)/\(member.key)", previous, &found))
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
    guard value.kind == .string, !value.isEmpty else { return value }
    if value.isString(mask) {
      if let kept = previous?[name] { found.append((name, kept)) }
      return value
    }
    found.append((name, value))
    return .string(mask)
  }

  /// Names an element of an array by what it says of itself, so that its secret follows it when the order changes.
  private static func identity(_ element: JSON) -> String? {
    for key in ["id", "item_id"] {
      if let text = element[key]?.string, !text.isEmpty { return text }
    }
    return nil
  }
}
