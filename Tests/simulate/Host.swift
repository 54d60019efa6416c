import CSimulate
import MusterRuns
import MusterStore
import MusterSystem
import MusterTools

/// A process that has the store open: the library, and the host's code around it.
final class Host: @unchecked Sendable {
  let number: Int
  let world: World
  let life: Plan.Life
  let tools: ToolRegistry
  let store: Store
  private(set) var driver: RunDriver?
  /// Of those who have launched runs.
  var ears: [Ear] = []
  /// The calls that are inside of the library, by their interrupts; and how many there are.
  private var interrupts: [Interrupt] = []
  private var inside = 0
  /// The tools that are away for a while.
  private var away: Set<Int> = []
  private(set) var isClosing = false
  /// Tells the world that it is closed, or could not be opened.
  private(set) var isClosed = false

  /// Opens the store as process `number`.
  init(number: Int, life: Plan.Life, world: World) throws(StoreError) {
    self.number = number
    self.life = life
    self.world = world
    tools = ToolRegistry(threads: 4, log: Host.log(world))
    store = try StoreRegistry.open(path: Host.newPath(), busyTimeoutMilliseconds: 5_000)
    driver = RunDriver(
      store: store, models: SimulatedModel(host: self), tools: tools,
      settings: .init(
        isDurable: world.plan.isDurable, defaultProvider: "openai", defaultBase: nil, threads: life.threads,
        flights: life.isCalm ? 100 : world.plan.flights, runTimeoutMilliseconds: life.isCalm ? 600_000 : 20_000),
      log: Host.log(world))
    driver?.directory = Directory(world.agents)
  }

  /// Of the store, as a process names it that has just begun: what is known of the stores of dead ones must not be found.
  static func newPath() -> String {
    processes += 1
    return "/\(processes)/store.db"
  }

  nonisolated(unsafe) private static var processes = 0

  private static func log(_ world: World) -> Log {
    simulate_is_told() ? Log { _, component, line in simulate_tell("log \(component): \(line)") } : .none
  }

  /// Goes on with what others have left behind. The host may register its tools before, after, or some of them later.
  func begin() throws(RunError) {
    guard let driver else { return }
    try driver.takeInventory()
    world.note("process \(number) has taken inventory")
    var late: [Int] = []
    for kind in SimulatedTool.Kind.allCases.indices {
      if !life.isCalm, world.dice.percent(5) { late.append(kind) } else { register(kind) }
    }
    if life.isCalm || world.dice.percent(80) {
      try driver.resume()
      world.note("process \(number) has resumed")
    }
    for kind in late {
      Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 500))
      register(kind)
      pass(Interrupt()) { driver in driver.toolCame() }
    }
  }

  private func register(_ kind: Int) {
    let timeout = life.isCalm ? SimulatedTool.Kind.timeouts.count - 1 : world.dice.below(3)
    guard let spec = SimulatedTool.Kind.spec(kind, timeout: timeout) else {
      return world.violate("a tool cannot be told")
    }
    do throws(ToolRegistryError) {
      try tools.register(spec, SimulatedTool(SimulatedTool.Kind.allCases[kind], host: self))
    } catch {
      if error != .closed { world.violate("\(spec.name) is not registered: \(error)") }
    }
  }

  /// Takes a tool away, and brings it back a while later.
  func replace(_ kind: Int) {
    guard !isClosing, away.insert(kind).inserted else { return }
    defer { away.remove(kind) }
    let name = SimulatedTool.Kind.allCases[kind].rawValue
    world.note("\(name) is unregistered")
    do throws(ToolRegistryError) {
      try tools.unregister(name)
    } catch {
      if error != .closed, error != .unknownTool { world.violate("\(name) is not unregistered: \(error)") }
      return
    }
    Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 1_000))
    register(kind)
    pass(Interrupt()) { driver in driver.toolCame() }
  }

  /// Whether a call of the host is inside of the library.
  var isBusy: Bool { inside > 0 }

  /// Runs a call of the host's, unless the plane is being closed.
  func pass(_ interrupt: Interrupt, _ body: (RunDriver) -> Void) {
    guard !isClosing, let driver else { return }
    inside += 1
    interrupts.append(interrupt)
    body(driver)
    interrupts.removeAll { $0 === interrupt }
    inside -= 1
  }

  /// Interrupts one of the calls that are inside of the library.
  func cancelSomething() {
    if interrupts.isEmpty { return }
    world.note("a caller cancels")
    world.dice.pick(interrupts).fire(.cancelled)
  }

  /// Closes everything, as a plane does.
  func close() {
    isClosing = true
    world.note("process \(number) closes")
    guard let driver else { return }
    driver.beginClosing()
    tools.beginClosing()
    for interrupt in interrupts { interrupt.fire(.closing) }
    while inside > 0 { Fiber.sleep(milliseconds: 1) }
    driver.close()
    tools.close()
    driver.putAsideKept()
    driver.endStrays()
    StoreRegistry.close(store)
    // Each holds the other.
    self.driver = nil
    isClosed = true
    world.note("process \(number) is closed")
  }
}
