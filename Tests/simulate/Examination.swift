import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Looks at what a schedule has left in its store, and holds it against what was promised.
final class Examination {
  private let host: Host
  private let world: World
  private let store: Store

  init(_ host: Host) {
    self.host = host
    world = host.world
    store = host.store
  }

  private func rows() -> [TaskRow] {
    do throws(StoreError) {
      var rows: [TaskRow] = []
      for key in try store.taskKeys(after: 0, count: 1_000) {
        if let row = try store.walk(taskWithKey: key, { _ in }) { rows.append(row) }
      }
      return rows
    } catch {
      world.violate("the tasks cannot be read: \(error)")
      return []
    }
  }

  /// Whether no task has still to be gone on with.
  var isAtRest: Bool {
    rows().allSatisfy { $0.status.isFinal } && !host.isBusy && host.ears.allSatisfy { $0.problem == nil }
  }

  var unfinished: String {
    rows().filter { !$0.status.isFinal }.map { "\($0.id) is \($0.status.word)" }.joined(separator: ", ")
  }

  func run() {
    world.note("examination")
    // It takes a while, and finds what others find.
    if world.dice.percent(25) { inspect() }
    var seen: [Int: TurnRecords] = [:]
    var keys: Set<String> = []
    // The calls of agents that there are, by the tasks that make them; and those that tasks answer.
    var asked: [String: Set<String>] = [:]
    var answered: Set<String> = []
    let rows = rows()
    for row in rows {
      var check = JournalCheck()
      var turns: [Int64: TurnRecords] = [:]
      do throws(StoreError) {
        let now = try store.walk(taskWithKey: row.key) { record in
          check.take(record)
          turns[record.turn, default: TurnRecords()].take(record)
          world.counts.records += 1
        }
        if let now, let problem = check.problem(with: now) { world.violate("\(row.id): \(problem)") }
      } catch {
        world.violate("the journal of \(row.id) cannot be read: \(error)")
      }
      for (number, turn) in turns.sorted(by: { $0.key < $1.key }) {
        for problem in turn.problems(world.effects) { world.violate("\(row.id), turn \(number): \(problem)") }
        keys.formUnion(turn.keys)
        asked[row.id, default: []].formUnion(turn.keys)
        if row.parentID != nil {
          world.counts.subtasks += 1
          guard let call = turn.answers else {
            world.violate("\(row.id) answers no call")
            continue
          }
          if !answered.insert(call).inserted { world.violate("the agent was started twice for \(call)") }
          continue
        }
        guard let prompt = turn.prompt else { continue }
        if seen[prompt] != nil { world.violate("turn \(prompt) was begun twice") }
        seen[prompt] = turn
        world.counts.resumed += turn.resumes
      }
    }
    for row in rows {
      guard let parent = row.parentID else { continue }
      if asked[parent] == nil { world.violate("\(row.id) is below \(parent), which is not there") }
    }
    let known = asked.values.reduce(into: Set<String>()) { $0.formUnion($1) }
    for call in answered where !known.contains(call) { world.violate("no journal knows the call \(call) of an agent") }
    for turn in world.turns { hold(turn, against: seen[turn.number]) }
    effects(keys)
    followers()
  }

  private func inspect() {
    do throws(StoreError) {
      for problem in try store.inspect().problems { world.violate("the store: \(problem)") }
    } catch {
      world.violate("the store cannot be inspected: \(error)")
    }
  }

  /// What somebody was told is on record.
  private func hold(_ turn: Turn, against records: TurnRecords?) {
    guard let records else {
      if turn.accepted != nil { world.violate("\(turn.prompt) was accepted, and is not there") }
      return
    }
    if let accepted = turn.accepted, accepted > 0, accepted != records.number {
      world.violate("\(turn.prompt) was accepted as turn \(accepted), and is turn \(records.number)")
    }
    if let end = turn.end, end != records.end {
      world.violate("\(turn.prompt) ended \(end.word), and is on record as \(records.end?.word ?? "unfinished")")
    }
    for (most, made, what) in [
      (turn.modelCalls, records.questions, "questions"), (turn.toolCalls, records.calls.count, "calls of tools"),
      (turn.toolCallsAnswered, records.calls.count, "calls of tools that are made"),
    ] {
      if let most, made > most { world.violate("\(turn.prompt) may have \(most) \(what), and has \(made)") }
    }
  }

  /// No tool has changed anything that no journal knows of.
  private func effects(_ keys: Set<String>) {
    for key in world.effects.keys where !keys.contains(key) {
      guard let record = world.effects.records[key], record.tool != .look else { continue }
      world.violate("\(record.tool) was called, and no journal knows of it: \(key)")
    }
  }

  /// Whoever has followed a task was told what its journal says.
  private func followers() {
    guard let driver = host.driver else { return }
    for task in 0..<world.plan.tasks {
      let watchers = world.watchers.filter { $0.task == task }
      if watchers.isEmpty { continue }
      let reference = Watcher(task: task, world: world)
      reference.follow(host)
      for watcher in watchers {
        let told = watcher.events
        if Array(reference.events.prefix(told.count)) != told {
          let at = zip(reference.events, told).first { $0 != $1 }
          world.violate(
            "a follower of task-\(task) was told \(at?.1 ?? "more"), where the journal says \(at?.0 ?? "nothing")")
        }
        for (key, text) in watcher.texts.sorted(by: { $0.key < $1.key }) {
          guard let whole = reference.texts[key] else { continue }
          if !whole.starts(with: text) { world.violate("a follower of task-\(task) heard another answer at \(key)") }
        }
      }
    }
    _ = driver
  }
}
