/// Decides what a schedule leaves open: the same numbers for the same seed, everywhere (SplitMix64).
final class Dice {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// A number from 0 up to, not including, `bound`.
  func below(_ bound: Int) -> Int { bound > 0 ? Int(next() % UInt64(bound)) : 0 }

  func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  /// True so many times of a hundred.
  func percent(_ chance: Int) -> Bool { below(100) < chance }

  func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  /// One of the names by their weights.
  func weigh<Choice>(_ choices: [(Choice, Int)]) -> Choice {
    var left = below(choices.reduce(0) { $0 + $1.1 })
    for (choice, weight) in choices {
      if left < weight { return choice }
      left -= weight
    }
    return choices[0].0
  }

  /// A time, most often a short one.
  func milliseconds(upTo most: Int) -> Int64 {
    switch below(4) {
    case 0: return 0
    case 1: return Int64(below(max(most / 20, 1)))
    case 2: return Int64(below(max(most / 4, 1)))
    default: return Int64(below(max(most, 1)))
    }
  }
}
