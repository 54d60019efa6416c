import CSimulate

/// Runs many schedules, a few hundred in one process: a process that is killed in a schedule leaves its memory behind, and
/// one that dies in earnest takes no more along than that.
final class Workers {
  private static let seedsAtOnce = 250
  /// No schedule takes longer, in seconds of the processor, unless it never ends.
  private static let patience: Int32 = 60
  private static let mostTold = 20

  private let options: Options
  private let agents: [Agent]
  private let names = Counts.names
  /// The seed that is run, how many violated something, the digests' sum, and the counts: of each worker.
  private let shared: UnsafeMutablePointer<Int64>
  private var width: Int { names.count + 3 }
  private var workers: [Int32: Int] = [:]
  private var counts = Counts()
  private var bad = 0
  private var digest: UInt64 = 0

  init(_ options: Options, agents: [Agent]) {
    self.options = options
    self.agents = agents
    shared = simulate_share(Int32(options.workers * (Counts.names.count + 3)))
  }

  /// Runs all; gives how many schedules have violated something.
  func run() -> Int {
    var next = options.from
    let end = options.from + options.seeds
    while next < end || !workers.isEmpty {
      if next < end, workers.count < options.workers, bad < Workers.mostTold {
        let last = min(next + Workers.seedsAtOnce, end)
        start(next..<last)
        next = last
      } else if workers.isEmpty {
        break
      } else {
        takeOne()
      }
    }
    report()
    return bad
  }

  private func start(_ seeds: Range<Int>) {
    let place = (0..<options.workers).first { place in !workers.values.contains(place) } ?? 0
    let slots = shared + place * width
    for index in 0..<width { slots[index] = 0 }
    let child = simulate_fork()
    if child != 0 {
      workers[child] = place
      return
    }
    for seed in seeds {
      slots[0] = Int64(seed)
      simulate_live_on(Workers.patience)
      let verdict = Schedule(seed: UInt64(seed), isTold: false, agents: agents).run()
      for line in verdict.violations { print("seed \(seed): \(line)") }
      if !verdict.violations.isEmpty { slots[1] += 1 }
      slots[2] &+= Int64(truncatingIfNeeded: verdict.digest)
      for (index, name) in names.enumerated() { slots[index + 3] += Int64(verdict.counts[keyPath: name.1]) }
      if options.tellsDigests { print("seed \(seed): digest \(verdict.digest)") }
    }
    simulate_exit(0)
  }

  private func takeOne() {
    var ending: Int32 = 0
    guard let place = workers.removeValue(forKey: simulate_await(&ending)) else { return }
    let slots = shared + place * width
    if ending != 0 {
      print("seed \(slots[0]): the process died (\(ending == 27 ? "it did not go on" : "signal \(ending)"))")
      bad += 1
    }
    bad += Int(slots[1])
    digest &+= UInt64(truncatingIfNeeded: slots[2])
    for (index, name) in names.enumerated() { counts[keyPath: name.1] += Int(slots[index + 3]) }
  }

  private func report() {
    for (name, path) in names {
      let number = "\(counts[keyPath: path])"
      print(name + String(repeating: " ", count: max(40 - name.count - number.count, 1)) + number)
    }
    let number = "\(bad)"
    print("violations" + String(repeating: " ", count: max(30 - number.count, 1)) + number)
    print("digest" + String(repeating: " ", count: max(34 - "\(digest)".count, 1)) + "\(digest)")
  }
}
