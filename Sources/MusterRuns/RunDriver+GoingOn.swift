import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// Taking tasks in hand that were put aside: many at a time, because a process may leave thousands.
extension RunDriver {
  /// How many tasks change hands in one transaction, which others wait for.
  static let atOnce = 256

  /// A task that is about to be taken in hand.
  private struct Candidate {
    let parked: TaskRow
    /// With the record that it goes on.
    let run: Run
    let entry: JournalEntry
    let isOwed: Bool
    let agent: AgentConfiguration
    let flight: RunFlight
  }

  /// The version of an agent that was looked for last: many runs have the same.
  private struct KnownAgent {
    let id: String
    let organization: String
    let version: String
    let agent: AgentConfiguration
  }

  /// Goes on with a task for whose run a place is kept, which is given back if it does not begin.
  func goOnInPlace(with task: TaskRow) throws(RunError) {
    var known: KnownAgent?
    let made: Candidate?
    do throws(RunError) {
      made = try candidate(task, &known, hasPlace: true)
    } catch {
      flights.giveBack()
      throw error
    }
    guard let made else { return flights.giveBack() }
    try take([made])
  }

  /// Goes on with tasks that were put aside, as far as their tools are registered.
  func goOn(with tasks: [TaskRow]) throws(RunError) {
    var some: [Candidate] = []
    var known: KnownAgent?
    do throws(RunError) {
      for task in tasks {
        if let candidate = try candidate(task, &known) { some.append(candidate) }
        guard some.count == RunDriver.atOnce else { continue }
        let batch = some
        some = []
        try take(batch)
      }
    } catch {
      try take(some)
      throw error
    }
    try take(some)
  }

  private func candidate(
    _ task: TaskRow, _ known: inout KnownAgent?, hasPlace: Bool = false
  ) throws(RunError) -> Candidate? {
    var run: Run
    do throws(RunError) {
      run = try fold(task)
    } catch {
      guard case .unreadable = error else { throw error }
      _ = try end(task, with: .interrupted)
      return nil
    }
    guard let beginning = run.beginning else { return nil }
    if let missing = missingTool(run) {
      log.write(.info, "runs", "task \(task.id) waits for the tool \(missing.name)")
      resumes.lackTool(task)
      return nil
    }
    if try waitsBelow(task, run) { return nil }
    guard let agent = try agent(task, beginning, &known) else { return nil }
    let commands = run.apply(.resumed, sequence: task.sequence &+ 1)
    let entry = JournalCoding.entry(.resumed, commands: commands, role: nil, at: .now())
    if case .finished(let finish) = run.phase {
      // It may not ask its model once more.
      try end(task, with: entry, JournalCoding.end(finish, run))
      return nil
    }
    guard pool.isReady else { throw .tooMany(0) }
    // Of two that go on with it at the same time one finds that it is gone.
    guard resumes.take(task) else { return nil }
    let flight = RunFlight(
      resuming: task, driver: self, deadline: .after(milliseconds: settings.runTimeoutMilliseconds),
      interrupt: Interrupt())
    do throws(RunError) {
      try flights.add(flight, hasPlace: hasPlace)
    } catch {
      resumes.giveBack(task)
      throw error
    }
    return Candidate(
      parked: task, run: run, entry: entry,
      isOwed: changesSomething(run), agent: agent, flight: flight)
  }

  private func end(_ task: TaskRow, with entry: JournalEntry, _ end: TurnEnd) throws(RunError) {
    let ended = try asStore { () throws(StoreError) in
      try store.seize(task, with: entry, end: end, durable: settings.isDurable)
    }
    guard let ended else { return }
    counts.end(end.status)
    goOnAbove(ended)
  }

  /// Nil when the agent is gone; its tasks go with it.
  private func agent(
    _ task: TaskRow, _ beginning: Beginning, _ known: inout KnownAgent?
  ) throws(RunError) -> AgentConfiguration? {
    if let known, known.id == task.agentID, known.organization == task.organizationID,
      known.version == beginning.agentVersion
    {
      return known.agent
    }
    do throws(RunError) {
      let agent = try agent(of: task, beginning)
      known = KnownAgent(
        id: task.agentID, organization: task.organizationID, version: beginning.agentVersion, agent: agent)
      return agent
    } catch {
      if case .agentDeleted = error { return nil }
      throw error
    }
  }

  /// Whether tools are called that change something. Without the record that it goes on the run would seem not to have
  /// followed a decision to do so; and the one before, that they are to be called, may not be on disk either: its sync may
  /// have failed.
  private func changesSomething(_ run: Run) -> Bool {
    guard case .calling(let calls) = run.phase else { return false }
    return calls.requests.indices.contains { RunJournal.changesSomething($0, calls, run.beginning?.tools) }
  }

  /// Takes candidates in hand, and goes on with those that nobody else has taken.
  private func take(_ candidates: [Candidate]) throws(RunError) {
    if candidates.isEmpty { return }
    let isOwed = candidates.contains { $0.isOwed }
    let adopted: [TaskRow?]
    do throws(RunError) {
      adopted = try asStore { () throws(StoreError) in
        try store.adopt(candidates.map { (known: $0.parked, entry: $0.entry) }, durable: isOwed)
      }
    } catch {
      for candidate in candidates { drop(candidate) }
      throw error
    }
    watch.start()
    for (candidate, task) in zip(candidates, adopted) {
      guard let task else {
        drop(candidate)
        continue
      }
      resumes.takeUp(candidate.parked)
      log.write(.info, "runs", "task \(task.id) goes on")
      candidate.flight.launch(BegunTurn(task: task, run: candidate.run, agent: candidate.agent))
    }
  }

  private func drop(_ candidate: Candidate) {
    resumes.giveBack(candidate.parked)
    flights.giveBack()
    flights.remove(candidate.flight)
  }
}
