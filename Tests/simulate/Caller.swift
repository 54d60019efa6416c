import MusterHTTP
import MusterRuns
import MusterStore
import MusterSystem

/// Asks for one turn of a task.
final class Caller: @unchecked Sendable {
  private let host: Host
  private let world: World
  private let turn: Turn
  private let interrupt = Interrupt()

  init(_ turn: Turn, host: Host) {
    self.turn = turn
    self.host = host
    world = host.world
  }

  private func invocation() -> Invocation {
    let agent = world.agents[world.agentOfTask[turn.task]]
    return Invocation(
      organizationID: host.store.firstOrganizationID, agentID: agent.id, agentVersion: "2", requestedVersion: nil,
      agent: agent.configuration, taskID: World.taskID(turn.task), request: turn.request, network: .open)
  }

  func run() {
    world.counts.turns += 1
    let dice = world.dice
    let rule: BusyRule = dice.weigh([(.enqueue, 80), (.reject, 10), (.replace, 10)])
    let milliseconds = world.isUnlucky() ? dice.milliseconds(upTo: 3_000) + 1 : 60_000
    let deadline = Deadline.after(milliseconds: milliseconds)
    world.note("\(turn.manner) \(turn.prompt) of \(World.taskID(turn.task)), \(rule), \(milliseconds) ms")
    host.pass(interrupt) { driver in
      do throws(RunError) {
        switch turn.manner {
        case .invoked:
          told(try driver.invoke(invocation(), onBusy: rule, deadline: deadline, interrupt: interrupt))
        case .accepted:
          let task = try driver.accept(
            invocation(), runDeadline: deadline, onBusy: rule, deadline: .after(milliseconds: milliseconds / 2 + 1),
            interrupt: interrupt)
          world.note("\(turn.prompt) is accepted")
          turn.accept(task.task)
        case .launched:
          let watcher = dice.percent(60) ? world.watcher(of: turn.task) : nil
          let ear = Ear(turn, host: host, watcher: watcher)
          try driver.launch(
            invocation(), deadline: deadline, onBusy: rule, isDetached: dice.percent(80), interrupt: interrupt,
            listener: ear)
          host.ears.append(ear)
        }
      } catch {
        world.note("\(turn.prompt) got \(error)")
        if let problem = Errors.problem(error, host) { world.violate("\(turn.prompt) got \(problem)") }
      }
    }
  }

  private func told(_ snapshot: TaskSnapshot) {
    let task = snapshot.task
    world.note("\(turn.prompt) is \(task.status.word)")
    // Or somebody is asked in a task below.
    if task.status == .paused || (turn.isTeam && task.status == .pending) { return turn.accept(task) }
    guard task.status.isFinal else { return world.violate("\(turn.prompt) was given back \(task.status.word)") }
    if let problem = turn.end(task) { world.violate(problem) }
  }
}
