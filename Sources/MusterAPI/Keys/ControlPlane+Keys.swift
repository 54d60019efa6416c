import MusterJSON
import MusterStore
import MusterSystem

extension ControlPlane {
  private static let unknown = Failure.api(401, "Invalid or missing API key")

  /// Who the holder of an API key is. 401 when there is no such key, or it has expired or was revoked.
  package func authenticate(key text: String?) throws(Failure) -> Caller {
    if let problem = Digest.problem() { throw Failure(.unsupported, "API keys need libcrypto: \(problem)") }
    guard let text, let key = KeyText(text) else { throw ControlPlane.unknown }
    let found: KeyRow?
    do throws(StoreError) {
      found = try store.key(key.id)
    } catch {
      throw Failure(error)
    }
    // A key that is not known takes as long as one that is.
    guard let hash = key.hash(salt: found?.salt ?? ""),
      Digest.isEqual(Array(hash.utf8), Array((found?.hash ?? String(repeating: "0", count: 64)).utf8)), let row = found,
      row.revokedAt == nil, row.expiresAt.map({ Timestamp.now() < $0 }) ?? true
    else { throw ControlPlane.unknown }
    return Caller(
      organizationID: row.organizationID, keyID: row.id, agents: row.agents, isReadOnly: row.isReadOnly,
      canManageKeys: row.canManageKeys, expiresAt: row.expiresAt)
  }
}
