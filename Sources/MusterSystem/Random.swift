import CPlatform

/// Randomness from the kernel.
package enum Random {
  /// Sixty-four random bits; from the clock if the kernel has none to give.
  package static func bits() -> UInt64 {
    var value: UInt64 = 0
    return platform_random_bytes(&value, 8) ? value : UInt64(bitPattern: platform_clock_monotonic_nanoseconds())
  }

  /// Twice as many, for the price of once.
  static func bitPair() -> (UInt64, UInt64) {
    var pair: (UInt64, UInt64) = (0, 0)
    return platform_random_bytes(&pair, 16) ? pair : (bits(), bits())
  }

  /// A number from 0 up to, not including, `bound`; 0 for a bound below 1.
  package static func below(_ bound: Int) -> Int {
    bound > 0 ? Int(truncatingIfNeeded: bits() >> 1) % bound : 0
  }

  /// Random bytes for secrets; nil when the kernel has none to give.
  package static func bytes(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: max(count, 0))
    return platform_random_bytes(&bytes, bytes.count) ? bytes : nil
  }
}
