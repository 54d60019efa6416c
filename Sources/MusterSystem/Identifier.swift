import CPlatform

/// Makes our ids: UUID version 7, lower-case text.
package enum Identifier {
  private static let hexadecimal: [UInt8] = Array("0123456789abcdef".utf8)

  /// A new id: 48 bits of milliseconds, then 74 random bits.
  package static func make() -> String {
    let milliseconds = UInt64(bitPattern: platform_clock_realtime_microseconds() / 1000)
    let random = Random.bitPair()
    let high = (milliseconds << 16) | 0x7000 | (random.0 & 0x0fff)
    let low = (random.1 & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, word) in [high, low].enumerated() {
      for nibble in 0..<16 {
        let place = index * 16 + nibble
        if place == 8 || place == 12 || place == 16 || place == 20 { text.append(UInt8(ascii: "-")) }
        let digit = Int((word >> UInt64(60 - nibble * 4)) & 0xf)
        text.append(hexadecimal[digit])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
