import MusterEngine
import MusterRuns
import MusterStore
import MusterSystem

/// Decides about calls of tools: truthfully, but not always once, and not always about the right one.
enum Person {
  /// Looks at a task and those below it, and decides if one waits for that.
  static func look(at task: Int, _ host: Host) {
    for id in family(of: World.taskID(task), host) { look(at: id, host) }
  }

  private static func family(of task: String, _ host: Host) -> [String] {
    var all = [task]
    var open = [task]
    while let parent = open.popLast(), !host.isClosing {
      var below: [TaskRow] = []
      host.pass(Interrupt()) { _ in
        below = (try? host.store.subtasks(of: parent, in: host.store.firstOrganizationID)) ?? []
      }
      all += below.map { $0.id }
      open += below.map { $0.id }
    }
    return all
  }

  private static func look(at task: String, _ host: Host) {
    let world = host.world
    host.pass(Interrupt()) { driver in
      let organization = host.store.firstOrganizationID
      do throws(RunError) {
        guard let snapshot = try driver.snapshot(task, in: organization),
          snapshot.task.status == .paused
        else { return }
        guard let request = snapshot.request else { return world.violate("\(snapshot.task.id) is paused for nothing") }
        let id = world.isUnlucky() ? "another" : world.dice.percent(30) ? nil : request.id
        try decide(id, task, driver, host)
        if world.isUnlucky() { try decide(request.id, task, driver, host) }
      } catch {
        if let problem = Errors.problem(error, host) { world.violate("a decision got \(problem)") }
      }
    }
  }

  private static func decide(_ id: String?, _ task: String, _ driver: RunDriver, _ host: Host) throws(RunError) {
    let world = host.world
    let organization = host.store.firstOrganizationID
    let asked = try driver.snapshot(task, in: organization)?.request
    guard let request = asked else { return }
    let isWrong = id != nil && id != request.id
    let outcome = try driver.decide(task, in: organization, request: id, comment: "as I know", user: "ann") {
      question in
      // The one that is asked about is the first that waits, unless it was named.
      answer(question, id ?? request.id, world)
    }
    switch outcome {
    case .taken:
      world.note("a person has decided about \(id ?? request.id)")
      world.counts.decisions += 1
      if isWrong { world.violate("a decision about a call was taken that is not there") }
    case .missing: world.violate("a task that is paused is not there")
    case .notAsked: break
    }
  }

  private static func answer(_ question: Command.Question, _ key: String, _ world: World) -> Decision.Answer? {
    if !world.isCalm, world.dice.percent(10) { return .giveUp }
    switch question {
    case .approval:
      if world.isUnlucky() { return .decline }
      world.effects.approve(key)
      return .proceed
    case .outcome:
      if world.effects.isDone(key) { return .done }
      world.effects.clear(key)
      return .proceed
    }
  }
}
