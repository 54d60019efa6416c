import CSimulate

/// One schedule from its beginning to its end: the same whenever its seed is the same.
final class Schedule {
  /// What came of it.
  struct Verdict {
    let violations: [String]
    let counts: Counts
    /// Says which steps there were.
    let digest: UInt64
  }

  /// More than any schedule needs.
  private static let mostSteps: Int64 = 2_000_000

  private let seed: UInt64
  private let isTold: Bool
  private let world: World
  private let director: Director

  init(seed: UInt64, isTold: Bool, agents: [Agent]) {
    self.seed = seed
    self.isTold = isTold
    let dice = Dice(seed: seed)
    world = World(plan: Plan(dice), dice: dice, agents: agents)
    director = Director(world)
  }

  func run() -> Verdict {
    let plan = world.plan
    simulate_begin(
      simulate_manner(
        seed: world.dice.next(), preemption: plan.preemption, spuriousness: plan.spuriousness, haste: plan.haste,
        is_told: isTold))
    world.note("seed \(seed): \(plan)")
    let director = director
    for lane in director.lanes { Fiber.spawn("director", in: 0) { director.run(lane) } }
    while world.violations.isEmpty, goOn() {}
    world.counts.schedules = 1
    world.counts.steps = Int(simulate_steps())
    world.counts.faults = Int(simulate_disk_failures())
    let digest = simulate_digest()
    simulate_end()
    return Verdict(violations: world.violations, counts: world.counts, digest: digest)
  }

  /// One step. False when there is none any more.
  private func goOn() -> Bool {
    switch simulate_step() {
    case simulate_stepped: break
    case simulate_over: return false
    case simulate_died:
      let number = Int(simulate_last_process())
      if let lane = director.lanes.first(where: { $0.process == number }) { kill(lane, hasPower: director.keepsPower) }
    default:
      world.violate("nobody can go on")
      simulate_tell_fibers()
    }
    for lane in director.lanes {
      if let killing = lane.killing, simulate_steps() >= killing.atStep { kill(lane, hasPower: killing.hasPower) }
    }
    if simulate_steps() > Schedule.mostSteps { world.violate("it does not end") }
    return true
  }

  /// Ends a process in the middle of what it does; without power all of them.
  private func kill(_ killed: Lane, hasPower: Bool) {
    for lane in director.lanes where lane === killed || !hasPower {
      guard let number = lane.process else { continue }
      world.note("process \(number) is killed\(hasPower ? "" : ", and the power goes")")
      world.counts.kills += 1
      simulate_kill(Int32(number), hasPower)
      world.died(process: number)
      lane.died()
    }
    if hasPower { return }
    world.counts.powerCuts += 1
    world.lostPower()
  }
}
