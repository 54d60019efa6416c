import MusterStore
import MusterSystem

/// Makes API keys.
enum NewKey {
  /// A new key, and what is stored of it.
  static func make(
    name: String, organizationID: String, agents: [String]? = nil, isReadOnly: Bool = false,
    canManageKeys: Bool = false,
    expiresAt: Timestamp? = nil
  ) throws(Failure) -> (key: KeyText, row: KeyRow) {
    if let problem = Digest.problem() { throw Failure(.unsupported, "API keys need libcrypto: \(problem)") }
    guard let key = KeyText.make(), let salt = KeyText.salt(), let hash = key.hash(salt: salt) else {
      throw Failure(.internal, "the system has no randomness for an API key")
    }
    let row = KeyRow(
      id: key.id, organizationID: organizationID, name: name, salt: salt, hash: hash, agents: agents,
      isReadOnly: isReadOnly, canManageKeys: canManageKeys, createdAt: .now(), expiresAt: expiresAt)
    return (key, row)
  }
}

extension ControlPlane {
  /// A new key for the plane's organization if that never had one, with the right to manage keys; nil when it has, or
  /// had. The text is shown this once. Of several processes that ask at the same time one gets it.
  package func makeFirstKey() throws(Failure) -> String? {
    let (key, row) = try NewKey.make(
      name: "first key", organizationID: host.organizationID, canManageKeys: true)
    do throws(StoreError) {
      return try store.insertFirstKey(row, durable: configuration.isDurable) ? key.text : nil
    } catch {
      throw Failure(error)
    }
  }
}
