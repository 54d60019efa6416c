/// What the seed decides before a schedule begins.
struct Plan {
  /// How the life of a process ends.
  enum End {
    /// Its plane is closed, after so many milliseconds.
    case close(after: Int64)
    /// It is killed between two steps.
    case kill(atStep: Int64, hasPower: Bool)
    /// It dies while it writes.
    case die(atWrite: Int64, hasPower: Bool)
    /// It is closed when everything has ended.
    case rest
  }

  /// How the disk fails.
  enum Fault {
    case full
    case unwritable
    case unsyncable
  }

  /// One process after another has the store.
  struct Life {
    let end: End
    /// Which fault of the disk, from which write on, and how often.
    let fault: (kind: Fault, at: Int64, count: Int64)?
    /// How many things callers and people do.
    let deeds: Int
    let threads: Int
    /// Whether everything goes well: models answer, tools return, people decide.
    var isCalm: Bool { if case .rest = end { true } else { false } }
  }

  let isDurable: Bool
  /// In the last of them everything comes to its end.
  let lives: [Life]
  /// Others, beside those.
  let neighbours: [Life]
  let tasks: Int
  /// How many of the runs that go on by themselves may be under way.
  let flights: Int64
  /// Of 65,536, as the machine takes them.
  let preemption: UInt32
  let spuriousness: UInt32
  let haste: UInt32
  /// How wild models and tools are, of a hundred.
  let trouble: Int

  init(_ dice: Dice) {
    isDurable = dice.percent(60)
    tasks = dice.within(1...3)
    flights = dice.percent(5) ? 1 : 100
    preemption = dice.pick([0, 300, 3_000, 20_000, 60_000])
    spuriousness = dice.pick([0, 0, 20, 200])
    haste = dice.pick([0, 100, 1_000, 10_000])
    trouble = dice.pick([0, 20, 50, 80])
    var lives: [Life] = []
    for _ in 0..<dice.weigh([(0, 30), (1, 45), (2, 20), (3, 5)]) { lives.append(Plan.life(dice)) }
    lives.append(
      Life(end: .rest, fault: nil, deeds: dice.within(lives.isEmpty ? 1...6 : 0...2), threads: dice.within(1...3)))
    self.lives = lives
    neighbours = dice.percent(25) ? (0..<dice.within(1...2)).map { _ in Plan.life(dice) } : []
  }

  private static func life(_ dice: Dice) -> Life {
    let hasPower = dice.percent(70)
    let end: End = dice.weigh([
      (.close(after: dice.milliseconds(upTo: 4_000)), 25),
      (.kill(atStep: Int64(dice.below(dice.pick([200, 800, 3_000]))), hasPower: hasPower), 45),
      (.die(atWrite: Int64(dice.within(1...dice.pick([10, 40, 120]))), hasPower: hasPower), 30),
    ])
    var fault: (Fault, Int64, Int64)?
    if case .die = end {
    } else if dice.percent(20) {
      fault = (
        dice.pick([.full, .unwritable, .unsyncable]), Int64(dice.within(1...60)), Int64(dice.pick([1, 2, 5, 1_000]))
      )
    }
    return Life(end: end, fault: fault, deeds: dice.within(1...6), threads: dice.within(1...3))
  }
}
