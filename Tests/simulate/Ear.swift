import MusterRuns
import MusterStore

/// Hears what comes of a run that was launched.
final class Ear: FlightListener, @unchecked Sendable {
  private let turn: Turn
  private let host: Host
  private let watcher: Watcher?
  private var begins = 0
  private(set) var ends = 0

  init(_ turn: Turn, host: Host, watcher: Watcher?) {
    self.turn = turn
    self.host = host
    self.watcher = watcher
  }

  /// What is wrong with what it heard until its plane was closed; nil: nothing.
  var problem: String? { ends == 1 ? nil : "\(turn.prompt) has ended \(ends) times for who launched it" }

  func begun(_ live: LiveTurn) {
    host.world.note("\(turn.prompt) has begun")
    begins += 1
    if begins > 1 || ends > 0 {
      host.world.violate("\(turn.prompt) begins for the \(begins). time, after \(ends) ends")
    }
    turn.accept(live.accepted.task)
    watcher?.follow(live, host)
  }

  func ended(_ end: FlightEnd) {
    ends += 1
    if ends > 1 { host.world.violate("\(turn.prompt) ends \(ends) times") }
    switch end {
    case .task(let snapshot, _):
      host.world.note("\(turn.prompt) is \(snapshot.task.status.word)")
      guard snapshot.task.status.isFinal else {
        let isApart = turn.isTeam && snapshot.task.status == .pending
        if snapshot.task.status != .paused, !isApart {
          host.world.violate("\(turn.prompt) ended \(snapshot.task.status.word)")
        }
        return
      }
      if let problem = turn.end(snapshot.task) { host.world.violate(problem) }
    case .failed(let error):
      host.world.note("\(turn.prompt) ended with \(error)")
      if let problem = Errors.problem(error, host) { host.world.violate("\(turn.prompt) ended with \(problem)") }
    }
  }
}
