/// The schemas of API keys, as JSON text by name.
enum KeySchemas {
  static let all: [(name: String, text: String)] = [
    (
      "APIKey",
      """
      {"type":"object","description":"What an API key may do. The key itself is kept nowhere.","properties":{\(properties)},\
      "required":[\(required)]}
      """
    ),
    (
      "CreatedAPIKey",
      """
      {"type":"object","description":"A new API key: the only answer that shows it.","properties":{"key":{"type":"string"},\
      \(properties)},"required":["key",\(required)]}
      """
    ),
    ("CreateAPIKey", create),
    ("UpdateAPIKey", update),
    (
      "FirstAPIKey",
      """
      {"type":"object","properties":{"key":{"type":["string","null"],"description":"The key; null when there was one before."}},\
      "required":["key"]}
      """
    ),
    ("APIKeyPage", SharedSchemas.page(of: "APIKey")),
  ]

  private static let agents = """
    {"type":["array","null"],"items":{"type":"string","minLength":1,"maxLength":255},"minItems":1,"maxItems":1000,\
    "description":"The ids of the only agents that it is good for; null: all."}
    """

  private static let readOnly = #"{"type":"boolean","description":"Whether it may only read."}"#

  private static let canManageKeys = """
    {"type":"boolean","description":"Whether it may make, change and revoke API keys. Such a key is neither limited to agents nor read-only."}
    """

  private static let expiresAt = """
    {"type":["string","null"],"format":"date-time","description":"From when it is refused; null: never."}
    """

  private static let name = #"{"type":"string","minLength":1,"maxLength":255,"description":"For people."}"#

  private static let required =
    #""id","name","organization_id","agents","read_only","can_manage_keys","created_at","expires_at""#

  private static let properties = """
    "id":{"type":"string","description":"The public part of the key."},"name":\(name),"organization_id":{"type":"string"},\
    "agents":\(agents),"read_only":\(readOnly),"can_manage_keys":\(canManageKeys),"created_at":{"type":"string","format":"date-time"},\
    "expires_at":\(expiresAt)
    """

  private static let create = """
    {"type":"object","description":"A new API key.","properties":{"name":\(name),\
    "agents":\(with(agents, default: "null")),"read_only":\(with(readOnly, default: "false")),\
    "can_manage_keys":\(with(canManageKeys, default: "false")),"expires_at":\(with(expiresAt, default: "null")),\
    "organization_id":{"type":["string","null"],"minLength":1,"maxLength":255,"default":null,"description":\
    "The organization of the key, which is made if there is none with this id; the caller's own by default, and only the host may name another."}},\
    "required":["name"]}
    """

  private static let update = """
    {"type":"object","description":"The keys to change; at least one.","properties":{"name":\(name),"agents":\(agents),\
    "read_only":\(readOnly),"can_manage_keys":\(canManageKeys),"expires_at":\(expiresAt)}}
    """

  /// A schema with a default.
  private static func with(_ schema: String, default value: String) -> String {
    "{\"default\":\(value)," + String(decoding: Array(schema.utf8.dropFirst()), as: UTF8.self)
  }
}
