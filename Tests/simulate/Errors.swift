import CSimulate
import MusterRuns
import MusterStore
import MusterSystem

/// Which errors have a reason.
enum Errors {
  /// What is wrong with an error that somebody got; nil: nothing.
  static func problem(_ error: RunError, _ host: Host) -> String? {
    switch error {
    case .store(let error): return problem(error, host)
    case .timedOut, .busy, .toolMissing: return nil
    case .tooMany: return isCrowded(error, host.life, host.world) ? nil : "there are too many runs"
    case .interrupted(let reason, _):
      return reason == .closing && !host.isClosing ? "something is interrupted as if the plane were being closed" : nil
    case .deleted, .agentDeleted, .agentChanged, .otherAgent, .notRunnable, .unreadable: return "\(error)"
    }
  }

  /// Whether an error says that there are too many runs, where there may be few.
  static func isCrowded(_ error: any Error, _ life: Plan.Life, _ world: World) -> Bool {
    if case .tooMany? = error as? RunError { return world.plan.flights < 100 && !life.isCalm }
    return false
  }

  static func problem(_ error: StoreError, _ host: Host) -> String? {
    if case .closed = error, host.isClosing { return nil }
    return mayFail(host.world) ? nil : "\(error)"
  }

  /// Whether a store may fail: its disk does, or another process may have kept it for too long while the clock went on.
  static func mayFail(_ world: World) -> Bool {
    if simulate_disk_failures() > world.failuresBefore { return true }
    return !world.isCalm && !world.plan.neighbours.isEmpty && world.plan.haste > 0
  }
}
