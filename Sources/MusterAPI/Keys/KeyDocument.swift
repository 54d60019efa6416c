import MusterJSON
import MusterStore
import MusterSystem

/// Writes what may be shown of an API key: neither salt nor hash.
enum KeyDocument {
  /// - Parameter key: the key itself, for its first and only showing.
  static func make(_ row: KeyRow, key: KeyText? = nil) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("id", row.id)
    if let key { writer.member("key", key.text) }
    writer.member("name", row.name)
    writer.member("organization_id", row.organizationID)
    writer.key("agents")
    if let agents = row.agents {
      writer.beginArray()
      for agent in agents { writer.value(agent) }
      writer.endArray()
    } else {
      writer.null()
    }
    writer.member("read_only", row.isReadOnly)
    writer.member("can_manage_keys", row.canManageKeys)
    writer.member("created_at", row.createdAt.iso8601)
    writer.member("expires_at", row.expiresAt?.iso8601)
    writer.endObject()
    return writer.bytes
  }
}
