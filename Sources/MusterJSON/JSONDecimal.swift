/// The exact value of a number lexeme, for comparisons that must not round: 1 equals 1.0, and 9007199254740993 does
/// not equal 9007199254740992.0.
struct JSONDecimal: Sendable, Equatable {
  let isNegative: Bool
  /// Digits 0…9 without zeros at either end; empty for zero.
  let digits: [UInt8]
  /// The value is 0.d₁d₂d₃… × 10^exponent.
  let exponent: Int

  /// An exponent beyond this is taken as this; such a number is zero for every reader that uses doubles.
  private static let largestExponent = 1_000_000_000_000_000

  /// Takes a lexeme that the parser has accepted.
  init(_ lexeme: ArraySlice<UInt8>) {
    var digits: [UInt8] = []
    digits.reserveCapacity(min(lexeme.count, 32))
    var integerDigits = 0
    var isFraction = false
    var power = 0
    var position = lexeme.startIndex
    let isNegative = lexeme.first == UInt8(ascii: "-")
    while position < lexeme.endIndex {
      let byte = lexeme[position]
      position += 1
      switch byte {
      case 0x30...0x39:
        if !isFraction { integerDigits += 1 }
        digits.append(byte - 0x30)
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        power = Self.power(lexeme[position...])
        position = lexeme.endIndex
      default: break
      }
    }
    let leadingZeros = digits.prefix { $0 == 0 }.count
    while digits.last == 0 { digits.removeLast() }
    digits.removeFirst(min(leadingZeros, digits.count))
    self.digits = digits
    self.isNegative = isNegative && !digits.isEmpty
    self.exponent = digits.isEmpty ? 0 : integerDigits - leadingZeros + power
  }

  private static func power(_ lexeme: ArraySlice<UInt8>) -> Int {
    var value = 0
    for byte in lexeme where byte >= 0x30 && byte <= 0x39 {
      value = min(value * 10 + Int(byte - 0x30), largestExponent)
    }
    return lexeme.first == UInt8(ascii: "-") ? -value : value
  }

  /// Whether it is a whole number, however it is written: 1.0 and 1e3 are.
  var isInteger: Bool { digits.count <= exponent || digits.isEmpty }

  /// A whole number that is not negative, at most Int.max; nil for any other.
  var count: Int? {
    guard isInteger, !isNegative else { return nil }
    guard exponent <= 18 else { return Int.max }
    var value = 0
    for index in 0..<exponent { value = value * 10 + (index < digits.count ? Int(digits[index]) : 0) }
    return value
  }

  static func < (left: JSONDecimal, right: JSONDecimal) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    return left.isNegative ? right.hasSmallerMagnitude(than: left) : left.hasSmallerMagnitude(than: right)
  }

  private func hasSmallerMagnitude(than other: JSONDecimal) -> Bool {
    if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
    if exponent != other.exponent { return exponent < other.exponent }
    return digits.lexicographicallyPrecedes(other.digits)
  }

  /// The most digits that a divisor may have.
  static let largestDivisor = 18

  /// Whether it is a whole multiple of `divisor`, exactly; false for a divisor that is zero or has too many digits.
  func isMultiple(of divisor: JSONDecimal) -> Bool {
    guard !divisor.digits.isEmpty, divisor.digits.count <= Self.largestDivisor else { return false }
    if digits.isEmpty { return true }
    // Both are whole numbers without a zero at the end times a power of ten; a power that is missing here cannot be
    // made up.
    let power = (exponent - digits.count) - (divisor.exponent - divisor.digits.count)
    guard power >= 0 else { return false }
    let modulus = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1) }
    var rest = digits.reduce(UInt64(0)) { ($0 * 10 + UInt64($1)) % modulus }
    var factor = 10 % modulus
    var remaining = power
    while remaining > 0, rest != 0 {
      if remaining & 1 == 1 { rest = Self.product(rest, factor, modulus) }
      factor = Self.product(factor, factor, modulus)
      remaining >>= 1
    }
    return rest == 0
  }

  /// The product of two numbers below `modulus`, modulo `modulus`.
  private static func product(_ left: UInt64, _ right: UInt64, _ modulus: UInt64) -> UInt64 {
    modulus.dividingFullWidth(left.multipliedFullWidth(by: right)).remainder
  }
}
