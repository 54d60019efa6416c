import CSimulate
import MusterStore

/// Runs the library on a simulated machine: many schedules, or one of them with everything that happens in it.
@main
enum Simulate {
  static func main() {
    simulate_settle(CommandLine.unsafeArgv)
    guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
      print(Options.usage)
      return simulate_exit(2)
    }
    simulate_disk_install()
    let agents = Agent.all
    prepare(agents)
    guard let seed = options.seed else {
      return simulate_exit(Workers(options, agents: agents).run() == 0 ? 0 : 1)
    }
    let verdict = Schedule(seed: seed, isTold: true, agents: agents).run()
    for line in verdict.violations { print("violation: \(line)") }
    print("seed \(seed): digest \(verdict.digest)")
    simulate_exit(verdict.violations.isEmpty ? 0 : 1)
  }

  /// Makes the store with which every schedule begins.
  private static func prepare(_ agents: [Agent]) {
    simulate_begin(simulate_manner(seed: 1, preemption: 0, spuriousness: 0, haste: 0, is_told: false))
    do {
      let store = try StoreRegistry.open(path: Host.newPath(), busyTimeoutMilliseconds: 1_000)
      for agent in agents { try agent.insert(into: store) }
      StoreRegistry.close(store)
    } catch {
      print("no store: \(error)")
    }
    simulate_disk_keep()
    simulate_end()
  }
}
