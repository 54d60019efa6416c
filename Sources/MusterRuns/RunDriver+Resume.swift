package import MusterEngine
import MusterJSON
import MusterStore
import MusterSystem
import MusterTools

/// Going on with runs whose process has ended, or that waited for a person.
extension RunDriver {
  /// Goes on with every run that was put aside and that nobody goes on with, as far as the tools that it needs are
  /// registered; from now on also with those whose tools come later.
  package func resume() throws(RunError) {
    resumes.begin()
    let abandoned = try asStore { () throws(StoreError) in try store.abandonedTasks() }
    try settle(abandoned)
    try resumeParked()
    parkedWatch.start()
  }

  /// Puts tasks of dead processes aside, or ends those that cannot be gone on with.
  func settle(_ abandoned: [TaskRow]) throws(RunError) {
    for task in try park(abandoned) { _ = try end(task, with: .interrupted) }
  }

  /// A tool was registered: runs may wait for it.
  package func toolCame() {
    resumes.toolCame()
    if resumes.isWatching { tryToResume { [resumes] in resumes.concern($0) } }
  }

  /// Another process has written something: it may have made a task ready that waits here.
  func parkedMayGoOn() {
    forgetSome()
    tryToResume { [resumes] in resumes.concern($0) && !resumes.lacksTool($0) }
  }

  /// Others may have ended or deleted what is kept here, or go on with it.
  private func forgetSome() {
    do throws(RunError) {
      for name in resumes.kept(32) {
        if let task = try found(name.taskID, in: name.organizationID), task.owner == nil, !task.status.isFinal {
          continue
        }
        resumes.forget(name)
      }
    } catch {
      // It is looked at again.
    }
  }

  private func tryToResume(_ isWanted: (TaskRow) -> Bool) {
    do throws(RunError) {
      try resumeParked(isWanted)
    } catch {
      if case .interrupted = error { return }
      log.write(.warning, "runs", "runs that were put aside are not gone on with: the store cannot be read")
    }
  }

  private func resumeParked(_ isWanted: (TaskRow) -> Bool = { _ in true }) throws(RunError) {
    let parked = try asStore { () throws(StoreError) in try store.parkedTasks() }
    let wanted = parked.filter(isWanted)
    if wanted.isEmpty { return }
    try inTime(nil) { () throws(RunError) in try goOn(with: wanted) }
  }

  /// Goes on with something; what has no place follows when some of what runs has ended. `name`: of what it is about; nil: of
  /// whatever was put aside.
  private func inTime(_ name: TaskName?, _ body: () throws(RunError) -> Void) throws(RunError) {
    do throws(RunError) {
      try body()
    } catch {
      guard case .tooMany(let most) = error, most > 0 else { throw error }
      log.write(.info, "runs", "\(most) runs are under way: what was put aside beyond that waits")
      resumes.waitForPlace(name)
      // It may have been the last of them that has just ended.
      if flights.hasRoom { placeCame() }
    }
  }

  /// A run has ended: others may have waited for its place.
  func placeCame() {
    guard let waiting = resumes.takeWaiting() else { return }
    if pool.submit(Resumption(driver: self, all: waiting.all, names: waiting.names)) { return }
    if waiting.all { resumes.waitForPlace() }
    for name in waiting.names { resumes.waitForPlace(name) }
  }

  private final class Resumption: PoolJob {
    private let driver: RunDriver
    private let all: Bool
    private let names: Set<TaskName>

    init(driver: RunDriver, all: Bool, names: Set<TaskName>) {
      self.driver = driver
      self.all = all
      self.names = names
    }

    func run() {
      // First: what the others wait for may be among them.
      for name in names {
        do throws(RunError) {
          try driver.takeUp(name.taskID, in: name.organizationID)
        } catch {
          driver.log.write(.warning, "runs", "task \(name.taskID) is not gone on with: the store cannot be read")
        }
      }
      if all { driver.tryToResume { [resumes = driver.resumes] in resumes.concern($0) } }
    }
  }

  /// Goes on with a task if it was put aside, and if that is for this process to do: it has put it aside, or goes on with
  /// whatever was. Others notice by themselves.
  func resume(_ id: String, in organization: String) throws(RunError) {
    guard let task = try found(id, in: organization), resumes.concern(task) else { return }
    try takeUp(task)
  }

  /// Goes on with a task if it was put aside.
  func takeUp(_ id: String, in organization: String) throws(RunError) {
    if let task = try found(id, in: organization) { try takeUp(task) }
  }

  private func takeUp(_ task: TaskRow) throws(RunError) {
    try inTime(TaskName(task.organizationID, task.id)) { () throws(RunError) in try takeUpNow(task) }
  }

  /// The same; fails where there is no place.
  func takeUpNow(_ task: TaskRow) throws(RunError) {
    if task.owner == nil, task.status == .pending { try goOn(with: [task]) }
  }

  /// The version of the agent that a turn runs with.
  func agent(of task: TaskRow, _ beginning: Beginning) throws(RunError) -> AgentConfiguration {
    let id = task.agentID
    let organization = task.organizationID
    let number = Int64(beginning.agentVersion)
    let found = try asStore { () throws(StoreError) -> AgentConfiguration? in
      if let number, let version = try store.agentVersion(number, of: id, in: organization) {
        return AgentConfiguration(document: .trusted(version.document), secrets: version.secrets.map { .trusted($0) })
      }
      guard case .found(let row) = try store.agent(id, in: organization) else { return nil }
      return AgentConfiguration(document: .trusted(row.document), secrets: row.secrets.map { .trusted($0) })
    }
    guard let found else { throw .agentDeleted }
    return found
  }

  /// The run of a task's latest turn, with its tools, as it was when the task was read.
  func fold(_ task: TaskRow) throws(RunError) -> Run {
    let records = try asStore { () throws(StoreError) in try store.recordsOfTurn(task) }
    return try withTools(try JournalCoding.fold(records), of: task)
  }

  /// A run with the tools that its beginning may name by their record.
  func withTools(_ folded: Run, of task: TaskRow) throws(RunError) -> Run {
    var run = folded
    guard let beginning = run.beginning, beginning.tools == nil, let sequence = beginning.toolsRecord else {
      return run
    }
    guard let list = try toolList(sequence, of: task) else {
      throw .unreadable("record \(sequence) of task \(task.id) holds no tools")
    }
    run.restate(Beginning(beginning, tools: list))
    return run
  }

  /// The tools that a record of a task holds; nil when it holds none.
  func toolList(_ sequence: Int64, of task: TaskRow) throws(RunError) -> ToolList? {
    let record = try asStore { () throws(StoreError) in try store.record(sequence, of: task) }
    guard let record, let list = JSON.trusted(record.body)["tools"] else { return nil }
    do throws(UnreadableRecord) {
      return try ToolList(list)
    } catch {
      throw .unreadable("record \(sequence) of task \(task.id): \(error.what)")
    }
  }

  /// Puts a task aside whose process has ended, if it is one that can be gone on with. A task that was put aside already is
  /// one, too.
  func park(_ task: TaskRow) throws(RunError) -> Bool { try park([task]).isEmpty }

  /// Puts tasks aside whose processes have ended; gives those that cannot be gone on with, or have changed meanwhile. Nothing
  /// is owed: should it be lost, the tasks are found again.
  func park(_ tasks: [TaskRow]) throws(RunError) -> [TaskRow] {
    var others: [TaskRow] = []
    var some: [TaskRow] = []
    for (index, task) in tasks.enumerated() {
      let isParked = task.owner == nil && task.status == .pending
      if !isParked, try isDetached(task) { some.append(task) } else if !isParked { others.append(task) }
      guard some.count == RunDriver.atOnce || index == tasks.count - 1, !some.isEmpty else { continue }
      let batch = some
      some = []
      let parked = try asStore { () throws(StoreError) in try store.park(batch) }
      for (task, isParked) in zip(batch, parked) {
        if isParked {
          log.write(.warning, "runs", "task \(task.id) was put aside: its process ended")
        } else {
          others.append(task)
        }
      }
    }
    return others
  }

  private func isDetached(_ task: TaskRow) throws(RunError) -> Bool {
    do throws(RunError) {
      return try fold(task).isDetached
    } catch {
      if case .unreadable = error { return false }
      throw error
    }
  }

  // MARK: - People

  /// What became of a decision.
  package enum DecisionOutcome: Sendable {
    case taken(TaskSnapshot)
    /// There is no such task.
    case missing
    /// The task waits for no decision, or not for this one.
    case notAsked
  }

  /// The decision is on record, whatever comes of this.
  private func goOnDecided(_ id: String, in organization: String) {
    do throws(RunError) {
      try resume(id, in: organization)
    } catch {
      log.write(.warning, "runs", "task \(id) is decided, and waits for muster_resume: it could not be gone on with")
    }
  }

  /// Takes a person's decision about a task that is paused, and goes on with it if that is for this process to do. `request`: the id of the call; nil: the
  /// first that waits. `answer`: what is to be done, by what was asked.
  package func decide(
    _ id: String, in organization: String, request: String?, comment: String?, user: String?,
    _ answer: (Command.Question) -> Decision.Answer?
  ) throws(RunError) -> DecisionOutcome {
    while true {
      guard let task = try found(id, in: organization) else { return .missing }
      guard task.status == .paused else { return .notAsked }
      var run = try fold(task)
      guard let asked = PersonRequest(run, id: request), let answer = answer(asked.question) else { return .notAsked }
      let event = Event.decided(Decision(call: asked.call, answer: answer, comment: comment, user: user))
      let commands = run.apply(event, sequence: task.sequence &+ 1)
      let entry = JournalCoding.entry(event, commands: commands, role: nil, at: .now())
      if case .finished(let finish) = run.phase {
        let end = JournalCoding.end(finish, run)
        let ended = try asStore { () throws(StoreError) in
          try store.seize(task, with: entry, end: end, durable: settings.isDurable)
        }
        guard let ended else { continue }
        counts.end(end.status)
        resumes.forget(ended)
        goOnAbove(ended)
      } else {
        var waits = false
        if case .calling(let calls) = run.phase { waits = calls.waitsForPeople }
        let parked = try asStore { () throws(StoreError) in
          // Owed in any case: what a tool is told to do for the first time follows from it.
          try store.park(task, as: waits ? .paused : .pending, with: entry, durable: true)
        }
        if parked == nil { continue }
        if !waits { goOnDecided(id, in: organization) }
      }
      guard let snapshot = try snapshot(id, in: organization) else { return .missing }
      return .taken(snapshot)
    }
  }
}
