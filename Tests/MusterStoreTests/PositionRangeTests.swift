import Testing

@testable import MusterStore

@Suite("The store's own order")
struct PositionRangeTests {
  /// A transaction that takes so many numbers: those, and what the store has afterwards.
  private func take(_ count: Int, _ range: inout PositionRange, _ stored: inout Int64) -> [Int64] {
    range.compare(with: stored)
    return (0..<count).map { _ in
      if range.isEmpty {
        range.extend()
        stored = range.end
      }
      return range.next()
    }
  }

  @Test(
    "numbers rise from commit to commit, whoever commits, and none is given out twice", arguments: [1 as UInt64, 7, 99])
  func rising(seed: UInt64) {
    var state = seed
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    var stored: Int64 = 0
    var ranges = [PositionRange](repeating: PositionRange(), count: 3)
    var last: Int64 = 0
    for _ in 0..<5_000 {
      let who = random(3)
      var range = ranges[who]
      var written = stored
      let taken = take(random(5), &range, &written)
      // One in eight is rolled back, and one writer in fifty begins anew.
      if random(8) == 0 { continue }
      (ranges[who], stored) = (range, written)
      if random(50) == 0 { ranges[who] = PositionRange() }
      for number in taken {
        #expect(number > last)
        last = number
      }
      #expect(stored >= last)
    }
  }

  @Test("who writes alone writes the sequence once for many numbers, and leaves out none")
  func alone() {
    var stored: Int64 = 0
    var range = PositionRange()
    var writes = 0
    var taken: [Int64] = []
    for _ in 0..<1_000 {
      let before = stored
      taken += take(1, &range, &stored)
      if stored != before { writes += 1 }
    }
    #expect(taken == Array(1...1_000))
    #expect(writes < 25)
  }

  @Test("who writes in turns with another leaves no gaps")
  func alternating() {
    var stored: Int64 = 0
    var ranges = [PositionRange(), PositionRange()]
    let taken = (0..<100).flatMap { number in take(1, &ranges[number % 2], &stored) }
    #expect(taken == Array(1...100))
  }
}
