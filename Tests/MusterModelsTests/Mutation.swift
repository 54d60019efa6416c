import TestSupport

/// Damages some bytes in one to four places: changes, adds, removes, cuts out, repeats.
func mutate(_ bytes: inout [UInt8], with interesting: [UInt8], _ generator: inout SeededGenerator) {
  for _ in 0...Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
    let place = Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes[place] = interesting.randomElement(using: &generator) ?? 0
    case 1: bytes.insert(interesting.randomElement(using: &generator) ?? 0, at: place)
    case 2: bytes.remove(at: place)
    case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0..<40, using: &generator)))
    default: bytes.insert(contentsOf: bytes.prefix(place).suffix(30), at: place)
    }
  }
}
