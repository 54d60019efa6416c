import CSimulate
import MusterRuns
import MusterStore
import MusterSystem

/// Leads a schedule: lets processes live, and looks at the end at what they have left.
final class Director {
  private let world: World
  /// The first has the process that looks at everything; it lives alone.
  let lanes: [Lane]
  private var lastNumber = 0
  /// Who has made the disk fail, and whether the power stays when a process dies of that.
  private var faulty: Lane?
  private(set) var keepsPower = true

  init(_ world: World) {
    self.world = world
    lanes = [Lane(world.plan.lives), Lane(world.plan.neighbours)]
  }

  func run(_ lane: Lane) {
    for life in lane.lives {
      while life.isCalm, lanes.contains(where: { $0 !== lane && !$0.hasEnded }) { Fiber.sleep(milliseconds: 20) }
      live(life, in: lane)
    }
    lane.hasEnded = true
  }

  private func live(_ life: Plan.Life, in lane: Lane) {
    lastNumber += 1
    let number = lastNumber
    world.note("process \(number) begins")
    lane.process = number
    if life.isCalm { world.calm() }
    arm(life, lane)
    let begin = Fiber.now
    var opened: Host?
    var isReady = false
    var hasFailed = false
    Fiber.spawn("host", in: number) { [self] in
      do {
        let host = try Host(number: number, life: life, world: world)
        opened = host
        try host.begin()
        isReady = true
      } catch {
        world.note("process \(number) could not begin: \(error)")
        if !Errors.mayFail(world), !Errors.isCrowded(error, life, world) {
          world.violate("process \(number) could not begin: \(error)")
        }
        hasFailed = true
      }
    }
    let lives = { lane.process == number }
    while lives(), !isReady, !hasFailed { Fiber.sleep(milliseconds: 2) }
    if lives(), isReady, let opened {
      act(life, opened)
      switch life.end {
      case .rest: rest(opened, since: begin)
      case .close(let after): while lives(), Fiber.now < begin + after { Fiber.sleep(milliseconds: 5) }
      // Until it dies, or a while if it does not come to that.
      case .kill, .die: while lives(), Fiber.now < begin + 60_000 { Fiber.sleep(milliseconds: 20) }
      }
    }
    if lives(), let opened { close(opened, while: lives) }
    if lives() { simulate_kill(Int32(number), true) }
    lane.died()
    disarm(lane)
  }

  /// Sees to it that the process dies, or its disk fails, when it is to.
  private func arm(_ life: Plan.Life, _ lane: Lane) {
    var kind = simulate_no_fault
    var at: Int64 = 0
    var count: Int64 = 1
    if case .kill(let step, let hasPower) = life.end { lane.killing = (simulate_steps() + step, hasPower) }
    if let fault = life.fault {
      (at, count) = (fault.at, fault.count)
      switch fault.kind {
      case .full: kind = simulate_full
      case .unwritable: kind = simulate_unwritable
      case .unsyncable: kind = simulate_unsyncable
      }
    } else if case .die(let write, let hasPower) = life.end {
      kind = simulate_dies
      at = write
      keepsPower = hasPower
    }
    guard kind != simulate_no_fault else { return }
    faulty = lane
    simulate_disk_fail(kind, simulate_disk_writes() + at, count)
  }

  private func disarm(_ lane: Lane) {
    guard faulty === lane else { return }
    faulty = nil
    simulate_disk_fail(simulate_no_fault, 0, 0)
  }

  /// Has callers and people do something.
  private func act(_ life: Plan.Life, _ host: Host) {
    let dice = world.dice
    for _ in 0..<life.deeds {
      let after = dice.milliseconds(upTo: 2_000)
      let task = dice.below(world.plan.tasks)
      let deed: () -> Void
      switch dice.below(100) {
      case 0..<35: deed = { [self] in Caller(world.newTurn(task: task, manner: .launched), host: host).run() }
      case 35..<45: deed = { [self] in Caller(world.newTurn(task: task, manner: .accepted), host: host).run() }
      case 45..<65: deed = { [self] in Caller(world.newTurn(task: task, manner: .invoked), host: host).run() }
      case 65..<73: deed = { [self] in stop(task, host) }
      case 73..<80: deed = { host.cancelSomething() }
      case 80..<84: deed = { host.replace(dice.below(SimulatedTool.Kind.allCases.count)) }
      default: deed = { [self] in world.watcher(of: task).follow(host) }
      }
      Fiber.spawn("caller", in: host.number) {
        Fiber.sleep(milliseconds: after)
        deed()
      }
    }
    guard life.isCalm || dice.percent(70) else { return }
    for _ in 0..<(life.isCalm ? 1 : dice.within(1...2)) {
      Fiber.spawn("person", in: host.number) { [self] in
        while !host.isClosing {
          Fiber.sleep(milliseconds: 20 + dice.milliseconds(upTo: 500))
          Person.look(at: dice.below(world.plan.tasks), host)
        }
      }
    }
  }

  private func stop(_ task: Int, _ host: Host) {
    host.pass(Interrupt()) { driver in
      do throws(RunError) {
        world.note("somebody stops \(World.taskID(task))")
        _ = try driver.stop(World.taskID(task), in: host.store.firstOrganizationID)
      } catch {
        if let problem = Errors.problem(error, host) { world.violate("a stop got \(problem)") }
      }
    }
  }

  // MARK: - The end

  /// Waits until everything has ended, and looks at what there is.
  private func rest(_ host: Host, since begin: Int64) {
    var isExamined = false
    Fiber.spawn("examiner", in: host.number) { [self] in
      let examination = Examination(host)
      // What is still to be done begins within this time.
      Fiber.sleep(milliseconds: 2_500)
      while !examination.isAtRest {
        if Fiber.now > begin + 3_600_000 {
          world.violate("something goes on for ever: \(examination.unfinished)")
          break
        }
        Fiber.sleep(milliseconds: 500)
      }
      examination.run()
      isExamined = true
    }
    while !isExamined { Fiber.sleep(milliseconds: 50) }
  }

  private func close(_ host: Host, while lives: () -> Bool) {
    world.counts.closes += 1
    Fiber.spawn("closer", in: host.number) { host.close() }
    let begin = Fiber.now
    while lives(), !host.isClosed {
      if Fiber.now > begin + 600_000 { return world.violate("a plane does not close") }
      Fiber.sleep(milliseconds: 2)
    }
    guard lives() else { return }
    for ear in host.ears {
      if let problem = ear.problem { world.violate(problem) }
    }
  }
}
