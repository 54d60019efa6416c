import CSimulate
import MusterEngine
import MusterJSON
import MusterRuns
import MusterStore
import MusterSystem

/// Follows a task over all processes: where one ends, it goes on in the next from the place that it has reached.
final class Watcher: @unchecked Sendable {
  let task: Int
  /// In which it follows; nil: in none.
  var process: Int?
  private let world: World
  private(set) var place = EventPosition.start
  /// What it was told, without the pieces of answers.
  private(set) var events: [String] = []
  /// The pieces of answers, by the places where they begin.
  private(set) var texts: [String: [UInt8]] = [:]

  init(task: Int, world: World) {
    self.task = task
    self.world = world
  }

  /// What it was told does not hold any more.
  func forget() {
    place = .start
    events = []
    texts = [:]
  }

  /// Follows a turn that has just begun, as its submitter does.
  func follow(_ live: LiveTurn, _ host: Host) {
    // Only from the beginning of the turn on: what was before must be known.
    guard process == nil, let driver = host.driver, place.sequence == live.taskRow.firstSequence - 1 else { return }
    let follower = driver.follower(of: World.taskID(task), in: host.store.firstOrganizationID)
    process = host.number
    Fiber.spawn("submitter", in: host.number) { [self] in
      follower.begin(live)
      read(follower, host, isSubmitter: true)
    }
  }

  /// Follows the task from where it stands.
  func follow(_ host: Host) {
    guard process == nil, let driver = host.driver else { return }
    process = host.number
    read(driver.follow(World.taskID(task), in: host.store.firstOrganizationID, after: place), host, isSubmitter: false)
  }

  private func read(_ follower: Follower, _ host: Host, isSubmitter: Bool) {
    let owner = Owner()
    follower.setOwner(owner)
    while !host.isClosing {
      switch follower.next() {
      case .event(let event): take(event)
      case .end(let end):
        switch end {
        case .finished(let event, _):
          if !isSubmitter, case .updated = event.content { world.violate("a follower is told that a pause is the end") }
          take(event)
        case .failed(.deleted): break
        case .failed(let error):
          if let problem = Errors.problem(error, host) { world.violate("a follower got \(problem)") }
        }
        process = nil
        return
      case nil: owner.news.wait(milliseconds: 1_000)
      }
      if world.dice.percent(5) { Fiber.sleep(milliseconds: world.dice.milliseconds(upTo: 1_000)) }
    }
    follower.close()
    process = nil
  }

  private final class Owner: FollowerOwner, @unchecked Sendable {
    let news = News()
    func mayHaveMore() { news.tell() }
  }

  private func take(_ event: TaskEvent) {
    world.counts.events += 1
    let position = event.position
    // That a task was put aside is not an event of its journal; and its last event is told to whoever comes later.
    if case .updated(let snapshot) = event.content, snapshot.task.status != .executing { return }
    if position == place, !events.isEmpty { return }
    if case .chunk(let bytes) = event.content {
      let key = Watcher.key(position)
      let before = texts[key]?.count ?? 0
      if Int64(before + bytes.count) != position.offset {
        world.violate("a piece of an answer ends at \(position.text), behind \(before) bytes and \(bytes.count) more")
      }
      texts[key, default: []] += bytes
    } else {
      events.append(Watcher.line(event))
    }
    place = position
  }

  static func key(_ position: EventPosition) -> String { "\(position.sequence).\(position.attempt ?? 0)" }

  /// One line that says what was told.
  static func line(_ event: TaskEvent) -> String {
    let what: String
    switch event.content {
    case .created: what = "created"
    case .updated: what = "updated"
    case .chunk: what = "chunk"
    case .toolAsked(_, let id): what = "asked \(id)"
    case .agentTriggered(let agent, let id, _): what = "triggered \(id) \(agent)"
    case .toolReturned(_, let id, let returned):
      what = "returned \(id) \(String(decoding: returned.result.bytes, as: UTF8.self))"
    case .finished(let snapshot): what = "finished \(snapshot.task.status.word) \(snapshot.result?.string ?? "")"
    }
    return "\(event.position.text) \(what)"
  }
}
