import CCrypto

/// SHA-256, and comparing without telling by the time it takes. libcrypto is opened with the first use.
package enum Digest {
  /// Why there is no libcrypto; nil when it is ready.
  package static func problem() -> String? {
    Inside.run { ccrypto_load() }.map { String(cString: $0) }
  }

  /// The 32 bytes of the digest; nil when there is no libcrypto.
  package static func sha256(_ bytes: [UInt8]) -> [UInt8]? {
    guard Inside.run({ ccrypto_load() }) == nil else { return nil }
    var digest = [UInt8](repeating: 0, count: 32)
    ccrypto_sha256(bytes, bytes.count, &digest)
    return digest
  }

  /// Whether two texts are equal, in a time that depends on their length alone; false when there is no libcrypto.
  package static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count, Inside.run({ ccrypto_load() }) == nil else { return false }
    return ccrypto_is_equal(left, right, left.count)
  }
}
