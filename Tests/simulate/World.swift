import CSimulate
import MusterJSON

/// What is around the processes of a schedule and outlives them: what callers were told, what tools have done, and whatever
/// was found to be wrong.
final class World {
  let plan: Plan
  let dice: Dice
  let effects: Effects
  /// By their numbers, from 0.
  private(set) var turns: [Turn] = []
  let agents: [Agent]
  /// Which of the agents each task has.
  let agentOfTask: [Int]
  private(set) var watchers: [Watcher] = []
  private(set) var violations: [String] = []
  /// Whether all goes well from now on.
  private(set) var isCalm = false
  /// How often the disk had failed when that began.
  private(set) var failuresBefore: Int64 = 0
  var counts = Counts()

  init(plan: Plan, dice: Dice, agents: [Agent]) {
    self.plan = plan
    self.dice = dice
    self.agents = agents
    effects = Effects()
    agentOfTask = (0..<plan.tasks).map { _ in dice.weigh([(0, 20), (1, 45), (2, 15), (3, 10), (4, 10)]) }
    effects.world = self
  }

  /// Tells what happens, if the schedule is told.
  func note(_ text: @autoclosure () -> String) { if simulate_is_told() { simulate_tell(text()) } }

  func violate(_ text: String) {
    note("!! \(text)")
    if violations.count < 20 { violations.append(text) }
  }

  /// From now on all goes well.
  func calm() {
    isCalm = true
    failuresBefore = simulate_disk_failures()
    simulate_calm()
  }

  /// Whether something goes wrong that may.
  func isUnlucky() -> Bool { !isCalm && dice.percent(plan.trouble) }

  func newTurn(task: Int, manner: Turn.Manner) -> Turn {
    let turn = Turn(
      number: turns.count, task: task, manner: manner, isTeam: !agents[agentOfTask[task]].members.isEmpty, dice: dice)
    turns.append(turn)
    return turn
  }

  func turn(_ number: Int) -> Turn? { turns.indices.contains(number) ? turns[number] : nil }

  func watcher(of task: Int) -> Watcher {
    if let idle = watchers.first(where: { $0.task == task && $0.process == nil }), dice.percent(80) { return idle }
    let made = Watcher(task: task, world: self)
    watchers.append(made)
    return made
  }

  static func taskID(_ number: Int) -> String { "task-\(number)" }

  /// A process has died.
  func died(process: Int) {
    for watcher in watchers where watcher.process == process { watcher.process = nil }
  }

  /// The power was gone: what is not an acknowledgement may be gone, too, and happen anew.
  func lostPower() {
    for turn in turns { turn.lostPower(isDurable: plan.isDurable) }
    for watcher in watchers { watcher.forget() }
  }
}
