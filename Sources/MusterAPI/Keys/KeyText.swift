import MusterSystem

/// An API key as its holder has it: `muster_<16 digits>_<64 digits>`, hexadecimal; the first part is public, the second is the secret.
struct KeyText {
  let id: String
  private let secret: String

  private static let prefix = "muster_"
  private static let idBytes = 8
  private static let secretBytes = 32
  private static let saltBytes = 16

  /// A new key; nil when the kernel has no randomness to give.
  static func make() -> KeyText? {
    guard let id = Random.bytes(idBytes), let secret = Random.bytes(secretBytes) else { return nil }
    return KeyText(id: Hexadecimal.text(id), secret: Hexadecimal.text(secret))
  }

  private init(id: String, secret: String) {
    self.id = id
    self.secret = secret
  }

  /// Takes a key apart; nil when it is none.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    let idEnd = KeyText.prefix.utf8.count + 2 * KeyText.idBytes
    guard bytes.count == idEnd + 1 + 2 * KeyText.secretBytes, bytes.starts(with: KeyText.prefix.utf8),
      bytes[idEnd] == UInt8(ascii: "_")
    else { return nil }
    id = String(decoding: bytes[KeyText.prefix.utf8.count..<idEnd], as: UTF8.self)
    secret = String(decoding: bytes[(idEnd + 1)...], as: UTF8.self)
  }

  /// The whole key, which its holder sees once.
  var text: String { "\(KeyText.prefix)\(id)_\(secret)" }

  /// A new salt; nil when the kernel has no randomness to give.
  static func salt() -> String? { Random.bytes(saltBytes).map { Hexadecimal.text($0) } }

  /// What is stored in place of the secret; nil when there is no libcrypto.
  func hash(salt: String) -> String? {
    Digest.sha256(Array(salt.utf8) + Array(secret.utf8)).map { Hexadecimal.text($0) }
  }
}
